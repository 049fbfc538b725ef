"""A command line made safe to show: one clean line, without anything that opens a door."""

import re
from collections.abc import Sequence

from tokentop.domain.text import clean

MAX_SHOWN = 1024  # characters
HIDDEN = "***"

# --api-key, --hf-token, HF_TOKEN=, --password, --ssl-keyfile-password, --secret-key, AUTH=...
_SECRET = re.compile(
    r"(?:^|[-_.])(?:api-?_?keys?|keys?|tokens?|passw(?:or)?ds?|(?:require)?pass|passphrase|secrets?|auth"
    r"|authorization|credentials?|bearer|cookie|jwt|pat|dsn)$",
    re.IGNORECASE,
)
# Options that end like a secret's and hold none.
_HARMLESS = frozenset(("--num-lookahead-tokens", "--max-num-batched-tokens", "--max-tokens",
                       "--max-model-tokens", "--max-total-tokens", "--sort-key"))  # fmt: skip
_USERINFO = re.compile(r"(?<=://)[^/\s?#]*@")
_QUERY = re.compile(r"(?<=[?&])([^=&\s]*)=[^&\s#]*")
_KNOWN_SHAPES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{8,}|ghp_[A-Za-z0-9]{8,}|gh[ousr]_[A-Za-z0-9]{8,}"
    r"|glpat-[\w-]{8,}|xox[a-z]-[\w-]{8,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?)"
)
_BEARER = re.compile(r"\b(bearer|basic)(\s+)\S+", re.IGNORECASE)


def shown_command(argv: Sequence[str]) -> str:
    """The arguments as one line of at most MAX_SHOWN characters, secrets replaced by `***`.

    One argument alone may be a title that the process wrote over all of them: its words count.

    A secret is the value of an option or variable that is named like one, a URL's user and query,
    and whatever looks like a well-known kind of token.
    """
    shown: list[str] = []
    hide_next = False
    for argument in argv[0].split() if len(argv) == 1 else argv:
        if hide_next and not argument.startswith("--"):
            shown.append(HIDDEN)
            hide_next = False
            continue
        name, equals, value = argument.partition("=")
        secret = _is_secret(name)
        shown.append(f"{name}={HIDDEN}" if secret and equals and value else _without(argument))
        hide_next = secret and not equals and name.startswith("-")
    return clean(" ".join(shown), MAX_SHOWN)


def _is_secret(name: str) -> bool:
    plain = name.strip()
    if plain.lower().replace("_", "-") in _HARMLESS or " " in plain:
        return False
    return _SECRET.search(plain) is not None


def _without(text: str) -> str:
    """The text without what is secret wherever it stands."""
    text = _USERINFO.sub(HIDDEN + "@", text)
    if "://" in text:
        text = _QUERY.sub(rf"\1={HIDDEN}", text)
    return _KNOWN_SHAPES.sub(HIDDEN, _BEARER.sub(rf"\1\2{HIDDEN}", text))
