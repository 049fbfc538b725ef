"""What the terminal can show, from its stream and the environment; for every text view."""

import os
from collections.abc import Mapping

from tokentop.light_typing import TextIO
from tokentop.named_tuple import NamedTuple


class Terminal(NamedTuple):
    """`colors` is 0 (none), 16 or 24 (bits, truecolor); the size is in cells."""

    tty: bool
    term: str
    colors: int
    columns: int
    rows: int
    utf8: bool
    no_color: bool
    multiplexer: str | None

    @property
    def dumb(self) -> bool:
        return self.term == "dumb"


def detect(stream: TextIO | None, environ: Mapping[str, str]) -> Terminal:
    """Return what `stream` can show; a closed stream (None) counts as a pipe."""
    tty = is_tty(stream)
    term = environ.get("TERM", "")
    columns, rows = _size(stream, environ) if tty else (80, 24)
    no_color = bool(environ.get("NO_COLOR"))
    plain = not tty or no_color or term == "dumb"
    return Terminal(
        tty=tty,
        term=term,
        colors=0 if plain else _depth(term, environ),
        columns=columns,
        rows=rows,
        utf8=_is_utf8(stream) and (not tty or locale_is_utf8(_at_start(environ))),
        no_color=no_color,
        multiplexer=_multiplexer(term, environ),
    )


def is_tty(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed meanwhile
        return False


def _depth(term: str, environ: Mapping[str, str]) -> int:
    named = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    return 24 if named or term.endswith("-direct") else 16


def _size(stream: TextIO | None, environ: Mapping[str, str]) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(stream.fileno() if stream else -1)
    except (OSError, ValueError):  # no real file behind it
        return (_positive(environ.get("COLUMNS"), 80), _positive(environ.get("LINES"), 24))
    return (size.columns or 80, size.lines or 24)  # some serial lines report 0 x 0


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else default


def _is_utf8(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None) or ""
    return encoding.lower().replace("-", "") == "utf8"


def locale_is_utf8(environ: Mapping[str, str]) -> bool:
    """Whether LC_ALL, LC_CTYPE or LANG name a UTF-8 locale; without any of them it is C, ASCII."""
    if environ.get("PYTHONUTF8") == "1":
        return True
    found = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    name = next(filter(None, found), "C").lower()
    return "utf-8" in name or "utf8" in name


def _at_start(environ: Mapping[str, str]) -> Mapping[str, str]:
    """This process's environment as it was given: the interpreter replaces a C locale in it."""
    if environ is not os.environ:
        return environ
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = file.read().decode("utf-8", "replace").split("\0")
    except OSError:  # not Linux
        return environ
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _multiplexer(term: str, environ: Mapping[str, str]) -> str | None:
    if environ.get("TMUX") or term.startswith("tmux"):
        return "tmux"
    return "screen" if environ.get("STY") or term.startswith("screen") else None
