"""A value that must not reach a log, a screen, JSON or a traceback."""

from collections.abc import Iterable


class Secret:
    """Holds a token; prints as `***` everywhere. `reveal()` is called where a header is written."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """`text` without the secrets, user names, passwords and query strings that it may hold."""
    import re  # not on the way to a line

    for secret in secrets:
        if value := secret.reveal():  # revealed only to be found in the text
            text = text.replace(value, "***")
    text = re.sub(r"(?<=://)[^/\s@]+@", "***@", text)
    return re.sub(r"(?<=[\w/])\?[^\s'\"]+", "?***", text)
