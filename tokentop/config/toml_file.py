"""The configuration file: where it is, what it holds, and the line of each key."""

import os
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from tokentop.config.draft import Origin
from tokentop.config.files import read_small
from tokentop.config.key import Key
from tokentop.config.keys import ARRAYS, key_of, row_keys, table
from tokentop.config.problems import SHOWN, Problem
from tokentop.config.values import nearest
from tokentop.named_tuple import NamedTuple

MAX_BYTES = 1024 * 1024
FILE_VARIABLE = "TOKENTOP_CONFIG"


class Document(NamedTuple):
    """A parsed file: its path, its tables, and the line of each dotted key."""

    path: str
    values: dict[str, object]
    lines: dict[str, int]


def home(path: str, environ: Mapping[str, str]) -> str:
    """Expand a leading ~ with $HOME, else with the user's entry in the system's database."""
    if path[:2] in ("~", "~/") and environ.get("HOME"):
        return environ["HOME"].rstrip("/") + path[1:]
    try:
        return os.path.expanduser(path) if path.startswith("~") else path
    except ValueError:  # a character that no user name can hold
        return path


def usual_places(environ: Mapping[str, str], platform: str = sys.platform) -> tuple[str, ...]:
    """Return where the file is looked for when none is named, in order."""
    places = []
    xdg = environ.get("XDG_CONFIG_HOME", "")
    if platform == "win32":
        places.append(environ.get("APPDATA") or home("~/AppData/Roaming", environ))
    else:  # the XDG specification: a relative XDG_CONFIG_HOME is ignored
        places.append(xdg if os.path.isabs(xdg) else home("~/.config", environ))
    if platform == "darwin":
        places.append(home("~/Library/Application Support", environ))
    return tuple(os.path.join(place, "tokentop", "config.toml") for place in places)


def parse(path: str, text: str) -> Document | Problem:
    """Take the text of the file at `path` apart."""
    import tomllib

    try:
        values = tomllib.loads(text)
    except RecursionError:
        return Problem(path, None, "", "is nested too deeply; write plain [section] tables")
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on digits
        return _syntax(path, text, str(error))
    return Document(path, values, lines_of(text))


Parse = Callable[[str, str], Document | Problem]


def read(
    path: str | None, environ: Mapping[str, str], parse: Parse = parse
) -> Document | Problem | None:
    """Read --config's file, else FILE_VARIABLE's, else the usual one; None where none exists.

    `parse` takes its path and its text.
    """
    named = "flag --config" if path is not None else f"environment variable {FILE_VARIABLE}"
    chosen = path if path is not None else environ.get(FILE_VARIABLE) or None
    if chosen is None:
        usual = next(filter(os.path.lexists, usual_places(environ)), None)
        return None if usual is None else _load(usual, parse)
    chosen = home(chosen, environ)
    if "\0" in chosen or not os.path.lexists(chosen):
        mend = "name a file that does, or make one with `tokentop config --example`"
        return Problem(named, None, "", f"{_quoted(chosen)} does not exist; {mend}")
    return _load(chosen, parse)


def _quoted(path: str) -> str:
    return ascii(path) if not path.isprintable() else path or "the empty path"


def _load(path: str, parse: Parse) -> Document | Problem:
    text = _text(path)
    return text if isinstance(text, Problem) else parse(path, text)


def _text(path: str) -> str | Problem:
    try:
        data = read_small(path, MAX_BYTES + 1)
    except IsADirectoryError:
        return Problem(path, None, "", "is a directory; name the file in it")
    except OSError as error:
        mend = "make it readable, or name another file with --config"
        return Problem(path, None, "", f"cannot be read ({error.strerror}); {mend}")
    if len(data) > MAX_BYTES:
        return Problem(path, None, "", "is larger than 1 MiB; name a configuration file")
    data = data.removeprefix(BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(path, line, "", "is not UTF-8 text; save it as UTF-8")


def _syntax(path: str, text: str, said: str) -> Problem:
    import re

    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    what = said[: place.start()] if place else "a number with too many digits"
    line = (int(place[1]) if place[1] else text.count("\n") + 1) if place else None
    column = f" at column {place[2]}" if place and place[2] else ""
    mend = 'correct it (key = value, text in "quotes", sections in [brackets])'
    # tomllib may repeat a key, never a value; a key can still hold control characters
    return Problem(path, line, "", f"not valid TOML: {ascii(what)[1:-1]}{column}; {mend}")


_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\\\n]*"|'[^'\n]*')"""
_DOTTED = rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*"


@cache  # compiled only where there is a file: a call without one is 2 ms shorter
def _header() -> re.Pattern[str]:
    return re.compile(rf"[ \t]*\[(\[?){_DOTTED}\]\]?[ \t]*(?:#.*)?$")


@cache
def _entry() -> re.Pattern[str]:
    return re.compile(rf"{_DOTTED}=[ \t]*(.*)$")


def join(prefix: str, part: str) -> str:
    """Return the dotted name of `part` under `prefix`; a part that is not a bare key is quoted."""
    name = part if re.fullmatch("[A-Za-z0-9_-]{1,60}", part) else ascii(part[:60])
    return f"{prefix}.{name}" if prefix else name


def lines_of(text: str) -> dict[str, int]:
    """Map each dotted key and section to the line (from 1) that first sets it, as far as found.

    The tables of an array are numbered: the second [[engine]] is engine[2].
    Keys inside inline tables are not looked for: `find` falls back to the table's own line.
    """
    found: dict[str, int] = {}
    numbers: dict[str, int] = {}  # of the tables of each array so far
    section, inside = "", ""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if inside:
            inside = "" if inside in line else inside
        elif header := _header().match(line):
            section = _section(found, numbers, header, number)
        elif entry := _entry().match(line):
            _note(found, section, entry[1], number)
            inside = _opened(entry[2])
    return found


def find(lines: dict[str, int], key: str) -> int | None:
    """Return the line of `key`, or of the nearest table that holds it."""
    while key:
        if key in lines:
            return lines[key]
        key = re.sub(r"\[\d+\]$", "", key) if key.endswith("]") else key.rpartition(".")[0]
    return None


def _section(
    found: dict[str, int], numbers: dict[str, int], header: re.Match[str], line: int
) -> str:
    """Note a header's line; return the section's full name, below the last table of an array."""
    name = _note({}, "", header[2], line)
    if header[1]:
        numbers[name] = numbers.get(name, 0) + 1
    first, dot, rest = name.partition(".")
    if first not in numbers:
        return _note(found, "", header[2], line)
    name = f"{first}[{numbers[first]}]{dot}{rest}"
    found.setdefault(name, line)
    return name


def _note(found: dict[str, int], name: str, dotted: str, number: int) -> str:
    """Note the line of `dotted` under `name` and of the tables it implies; return its full name."""
    for part in re.findall(_PART, dotted):
        name = join(name, part[1:-1] if part[0] in "\"'" else part)
        found.setdefault(name, number)
    return name


def _opened(value: str) -> str:
    """Return the delimiter of a multi-line string that this value leaves open, or nothing."""
    quote = value[:3]
    return quote if quote in ('"""', "'''") and quote not in value[3:] else ""


_TOKENS = ("token", "api_key", "apikey", "api_token", "bearer", "password", "secret", "auth")
Setting = tuple[Key, object, Origin]


def settings(document: Document) -> Iterator[Setting | Problem]:
    """Yield every key of the file, in its order, as a setting or as a problem."""
    unknown = 0
    for name, value in _leaves(document.values, ""):
        line = find(document.lines, name)
        key = key_of(name)
        if key is not None and key.in_file:
            yield key, value, Origin("file", document.path, line)
        else:
            unknown += 1
            text = _unknown(name) if unknown <= SHOWN else "unknown key; remove it"
            yield Problem(document.path, line, name, text)


def rows(document: Document) -> Iterator[tuple[str, Origin]]:
    """Yield each table of an array: what its keys are below (engine[1]), and where it stands."""
    for array in ARRAYS:
        for number in range(1, len(_array(document.values.get(array))) + 1):
            at = f"{array}[{number}]"
            yield at, Origin("file", document.path, find(document.lines, at))


def _array(value: object) -> list[dict[str, object]]:
    tables = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return value if isinstance(value, list) and tables else []


def _leaves(values: dict[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    """Yield the settings: what stands at a known key, or stops at an unknown or mistaken one."""
    for part, value in values.items():
        name = join(prefix, part)
        if name in ARRAYS and _array(value):
            for number, item in enumerate(_array(value), 1):
                yield from ((f"{name}[{number}].{part}", leaf) for part, leaf in item.items())
        elif isinstance(value, dict) and name in _sections():
            yield from _leaves(value, name)
        else:
            yield name, value


def _sections() -> set[str]:
    found = set()
    for key in table().values():
        section = key.section if key.in_file else ""
        while section:
            found.add(section)
            section = section.rpartition(".")[0]
    return found


def _unknown(name: str) -> str:
    section, _, leaf = name.rpartition(".")
    if name in ARRAYS:
        return f"needs two brackets, once for each {name}; write [[{name}]] and its keys below"
    if name in _sections():
        return f"needs a table, not a value; write [{name}] and its keys below"
    if leaf.lower() in _TOKENS:
        mend = "name the variable or the file that holds it with token_env or token_file"
        return f"a secret does not belong in this file; {mend}"
    guess = _guess(section, leaf)
    if guess:
        return f"unknown key; did you mean {guess}?"
    return "unknown key; remove it (`tokentop config --example` lists every key)"


def _guess(section: str, leaf: str) -> str | None:
    """Return the nearest name: beside it first, then a key of that very name elsewhere."""
    if section.partition("[")[0] in ARRAYS:
        found = nearest(leaf, tuple(row_keys(section)))
        return f"{section}.{found}" if found else None
    names = [key.name for key in table().values() if key.in_file] + sorted(_sections())
    beside = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == section}
    if found := nearest(leaf, tuple(beside)):
        return beside[found]
    elsewhere = {name.rpartition(".")[2]: name for name in reversed(names)}
    found = nearest(leaf, tuple(elsewhere))
    return elsewhere[found] if found else None
