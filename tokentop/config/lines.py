"""Which line of a TOML text sets which key, for messages; tomllib does not say."""

import re

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\\\n]*"|'[^'\n]*')"""
_DOTTED = rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*"
_HEADER = re.compile(rf"[ \t]*\[(\[?){_DOTTED}\]\]?[ \t]*(?:#.*)?$")
_ENTRY = re.compile(rf"{_DOTTED}=[ \t]*(.*)$")
_BARE = re.compile(r"[A-Za-z0-9_-]{1,60}")


def join(prefix: str, part: str) -> str:
    """Return the dotted name of `part` under `prefix`; a part that is not a bare key is quoted."""
    name = part if _BARE.fullmatch(part) else ascii(part[:60])
    return f"{prefix}.{name}" if prefix else name


def lines_of(text: str) -> dict[str, int]:
    """Map each dotted key and section to the line (from 1) that first sets it, as far as found.

    The tables of an array are told apart by their number: the second [[engine]] is engine[2].
    Keys inside inline tables are not looked for: `find` falls back to the table's own line.
    """
    found: dict[str, int] = {}
    numbers: dict[str, int] = {}  # of the tables of each array so far
    section, inside = "", ""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if inside:
            inside = "" if inside in line else inside
        elif header := _HEADER.match(line):
            section = _section(found, numbers, header, number)
        elif entry := _ENTRY.match(line):
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
