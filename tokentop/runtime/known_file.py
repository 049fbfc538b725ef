"""The configuration file as an earlier call took it apart.

To parse TOML and to find the line of each key is a tenth of what a one-line view with three
engines costs. What was read is kept with the whole text: another text is parsed anew.
"""

from time import time

from tokentop import __version__
from tokentop.config.problems import Problem
from tokentop.config.toml_file import Document, parse
from tokentop.transport.user_cache import digest, keep, prune, recall

KEPT_S = 30 * 86400.0
MOST = 64 * 1024  # characters of a text
_NAME = "configuration-"

_new: list[tuple[Document, str]] = []  # with its text, not kept yet


def parsed(path: str, text: str) -> Document | Problem:
    """The text of the file at `path`, taken apart now or earlier."""
    match recall(_name(path), KEPT_S, time()):
        case [version, known, dict(values), dict(lines)] if (version, known) == (__version__, text):
            return Document(path, values, lines)
    found = parse(path, text)
    if isinstance(found, Document) and len(text) <= MOST:
        _new[:] = [(found, text)]
    return found


def keep_parsed(path: str | None) -> None:
    """Leave the file at `path` for the next call, where it was parsed now; its values are in order.

    A file with a secret in it is not in order (config/toml_file.py).
    """
    for found, text in _new:
        if found.path == path:
            now = time()
            keep(_name(path), [__version__, text, found.values, found.lines], now)
            prune(_NAME, now - KEPT_S)
    _new.clear()


def _name(path: str) -> str:
    return _NAME + digest(path)
