"""A tolerant scanner of Prometheus and OpenMetrics text: one bad line costs that line.

Only the series a caller wants are taken apart, so a page of 50 kB costs well under a
millisecond. A last line without its newline was cut in transit and is dropped.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tokentop.sources.json_fields import BadData
from tokentop.sources.metrics_page import Page, Sample

MAX_LABELS = 64
MAX_SAMPLES = 16 * 1024  # of 400 bytes each
SLICE = 64 * 1024
SHORT = 512  # longer label sets are not kept

# Possessive quantifiers: a hostile line is read once, never tried again in another way.
_SERIES = re.compile(
    r"[ \t]*+(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*+)"
    r'(?:[ \t]*+\{(?P<labels>(?:[^"}]++|"(?:[^"\\]++|\\.)*+")*+)\}[ \t]*+|[ \t]++)'
    r"(?P<value>[^ \t#\r]++)"
    r"(?:[ \t]++-?[0-9.eE+-]++)?+[ \t]*+(?:#.*+)?\r?\Z"
)
_LABEL = re.compile(
    r'[ \t]*+([a-zA-Z_][a-zA-Z0-9_]*+)[ \t]*+=[ \t]*+"((?:[^"\\]++|\\.)*+)"[ \t]*+(?:,|\Z)'
)
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+|nan|inf(?:inity)?+)\Z",
    re.IGNORECASE,
)
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_ESCAPED = re.compile(r"\\[\\\"n]")


def number(text: str) -> float | None:
    """A number as the formats write it (NaN and infinities included), else None."""
    return float(text) if _NUMBER.match(text) else None


def parse_line(line: str) -> tuple[str, Sample] | None:
    """One line that is no comment; None where it cannot be read."""
    found = _SERIES.match(line)
    if found is None:
        return None
    value = number(found["value"])
    labels = _labels(found["labels"] or "")
    if value is None or labels is None:
        return None
    return found["name"], Sample(labels, value)


def _labels(text: str) -> Mapping[str, str] | None:
    """Read once for all polls: an engine repeats the same labels at each."""
    return _cached(text) if len(text) <= SHORT else _read(text)


def _read(text: str) -> dict[str, str] | None:
    labels: dict[str, str] = {}
    position, end = 0, len(text.rstrip(" \t"))
    while position < end:
        found = _LABEL.match(text, position)
        if found is None or len(labels) >= MAX_LABELS:
            return None
        name, value = found.groups()
        if "\\" in value:
            value = _ESCAPED.sub(lambda escape: _ESCAPES[escape[0]], value)
        labels[name] = value
        position = found.end()
    return labels


_cached = lru_cache(2048)(_read)


def _lines(body: bytes, wanted: frozenset[str] | None) -> Iterator[str]:
    for part in _slices(body):
        for line in part.decode("utf-8", "replace").split("\n"):
            if not line or line[0] == "#":
                continue
            head = line.partition("{")[0]
            if wanted is None or head in wanted or (_spaced(head) and _name(line) in wanted):
                yield line


def _slices(body: bytes) -> Iterator[bytes]:
    """The whole lines in parts of about SLICE bytes: as text a page takes four times its size.

    What follows the last newline was cut in transit.
    """
    at, last = 0, body.rfind(b"\n") + 1
    while at < last:
        end = body.find(b"\n", min(at + SLICE, last - 1)) + 1
        yield body[at:end]
        at = end


def _spaced(head: str) -> bool:
    """A line without labels, or a spacing before them that is allowed and rare."""
    return " " in head or "\t" in head


def _name(line: str) -> str:
    if line[0] in " \t" or "\t" in line:  # a spacing that is allowed and rare
        line = line.lstrip(" \t").replace("\t", " ")
    return line.partition("{")[0].partition(" ")[0]


def parse(body: bytes, wanted: frozenset[str] | None = None) -> Page:
    """Read a page; `wanted` names the series to keep (histograms as _bucket, _sum, _count).

    Raises BadData where more than MAX_SAMPLES are to be kept.
    """
    series: dict[str, list[Sample]] = {}
    count = 0
    for line in _lines(body, wanted):
        if (parsed := parse_line(line)) is None:
            continue
        count += 1
        if count > MAX_SAMPLES:
            raise BadData(f"its metrics page has more than {MAX_SAMPLES:,} samples to read")
        series.setdefault(parsed[0], []).append(parsed[1])
    return Page(series)
