"""Where the configuration file is, and what it holds."""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from tokentop.config.problems import Problem

MAX_BYTES = 1024 * 1024


class Document(NamedTuple):
    """A parsed file: its path, its tables, and the line of each dotted key."""

    path: str
    values: dict[str, object]
    lines: dict[str, int]


def home(path: str, environ: Mapping[str, str]) -> str:
    """Expand a leading ~ with $HOME, else with what the system says."""
    if path[:2] in ("~", "~/") and environ.get("HOME"):
        return environ["HOME"].rstrip("/") + path[1:]
    return os.path.expanduser(path) if path.startswith("~") else path


def usual_places(environ: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...]:
    """Return where the file is looked for when none is named, in order."""
    places = []
    xdg = environ.get("XDG_CONFIG_HOME", "")
    if platform == "win32":
        places.append(environ.get("APPDATA") or home("~/AppData/Roaming", environ))
    else:  # a relative XDG_CONFIG_HOME is to be ignored, says its specification
        places.append(xdg if os.path.isabs(xdg) else home("~/.config", environ))
    if platform == "darwin":
        places.append(home("~/Library/Application Support", environ))
    return tuple(os.path.join(place, "tokentop", "config.toml") for place in places)


def read(path: str | None, environ: Mapping[str, str]) -> Document | Problem | None:
    """Read --config's file, else TOKENTOP_CONFIG's, else the usual one; None where none exists."""
    named = "flag --config" if path is not None else "environment variable TOKENTOP_CONFIG"
    chosen = path if path is not None else environ.get("TOKENTOP_CONFIG") or None
    if chosen is None:
        usual = next(filter(os.path.lexists, usual_places(environ)), None)
        return None if usual is None else _load(usual)
    chosen = home(chosen, environ)
    if "\0" in chosen or not os.path.lexists(chosen):
        mend = "name a file that does, or make one with `tokentop config --example`"
        return Problem(named, None, "", f"{_quoted(chosen)} does not exist; {mend}")
    return _load(chosen)


def _quoted(path: str) -> str:
    return ascii(path) if not path.isprintable() else path or "the empty path"


def _load(path: str) -> Document | Problem:
    text = _text(path)
    return text if isinstance(text, Problem) else _parse(path, text)


def _text(path: str) -> str | Problem:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        return Problem(path, None, "", "is a directory; name the file in it")
    except OSError as error:
        mend = "make it readable, or name another file with --config"
        return Problem(path, None, "", f"cannot be read ({error.strerror}); {mend}")
    if len(data) > MAX_BYTES:
        return Problem(path, None, "", "is larger than 1 MiB; name a configuration file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(path, line, "", "is not UTF-8 text; save it as UTF-8")


def _parse(path: str, text: str) -> Document | Problem:
    import tomllib

    from tokentop.config.lines import lines_of

    try:
        values = tomllib.loads(text)
    except RecursionError:
        return Problem(path, None, "", "is nested too deeply; write plain [section] tables")
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on digits
        return _syntax(path, text, str(error))
    return Document(path, values, lines_of(text))


def _syntax(path: str, text: str, said: str) -> Problem:
    import re

    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    what = said[: place.start()] if place else "a number with too many digits"
    line = (int(place[1]) if place[1] else text.count("\n") + 1) if place else None
    column = f" at column {place[2]}" if place and place[2] else ""
    mend = 'correct it (key = value, text in "quotes", sections in [brackets])'
    # tomllib may repeat a key, never a value; a key can still hold control characters
    return Problem(path, line, "", f"not valid TOML: {ascii(what)[1:-1]}{column}; {mend}")
