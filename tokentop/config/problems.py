"""What is wrong with a configuration: every problem with its place, its key and its mend."""

from tokentop.named_tuple import NamedTuple

SHOWN = 50  # problems printed; a file of another kind has thousands


class Problem(NamedTuple):
    """One thing to mend. `place` is the file's path, "environment variable X" or "flag --x".

    `key` is dotted and empty where the whole place is meant; `text` says what is wrong and what to
    do, and never repeats a value that may be a secret.
    """

    place: str
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        place = printable(self.place) + (f":{self.line}" if self.line is not None else "")
        return ": ".join(part for part in (place, self.key, self.text) if part)


class ConfigError(Exception):
    """Nothing was configured; `problems` holds every reason, `str()` is the text to print."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"and {len(self.problems) - SHOWN} more")
        return "\n".join(lines)


def printable(text: str, limit: int = 400) -> str:
    """Return one line of printable characters, others as escapes, cut to `limit` with …."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
