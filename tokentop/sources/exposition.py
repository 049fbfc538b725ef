"""A tolerant scanner of Prometheus and OpenMetrics text: one bad line costs that line.

Only the series a caller wants are taken apart, and each of them once: a server writes the same
label sets at every poll. A last line without its newline was cut in transit and is
dropped.
"""

import re
from collections.abc import Iterator, Mapping
from zlib import adler32, crc32

from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import BadData
from tokentop.sources.metrics_page import Page, Sample

MAX_LABELS = 64
MAX_SAMPLES = 16 * 1024  # of 400 bytes each
SLICE = 64 * 1024
SHORT = 512  # longer series are not kept
MAX_KEPT = 4096
LONG_KEY = 64

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


class _Series(NamedTuple):
    """All of a line but its value."""

    name: str
    labels: Mapping[str, str]
    key: str


_kept: dict[str, _Series] = {}  # by the text before the value


def parse_line(line: str) -> tuple[str, Sample] | None:
    """One line that is no comment; None where it cannot be read."""
    head, _, text = line.rpartition(" ")
    series, value = _kept.get(head), number(text)
    if series is None or value is None:
        found = _SERIES.match(line)
        series = None if found is None else _series(found)
        value = None if found is None else number(found["value"])
        if found is None or series is None or value is None:
            return None
        if line == f"{head} {found['value']}" and found.end("value") == len(line) <= SHORT:
            _keep(head, series)
    return series.name, Sample(series.labels, value, series.key)


def _keep(head: str, series: _Series) -> None:
    if len(_kept) >= MAX_KEPT:
        _kept.clear()
    _kept[head] = series


def _series(found: re.Match[str]) -> _Series | None:
    labels = _labels(found["labels"] or "")
    return None if labels is None else _Series(found["name"], labels, _key(labels))


def _key(labels: Mapping[str, str]) -> str:
    """The label set as one text, whatever the labels' order; buckets of a histogram share it."""
    key = ",".join(f"{name}={labels[name]!r}" for name in sorted(labels) if name != "le")
    if len(key) <= LONG_KEY:
        return key
    data = key.encode("utf-8", "surrogatepass")
    return f"{crc32(data):08x}{adler32(data):08x}"


def _labels(text: str) -> dict[str, str] | None:
    """None where the text is no label set; the same label twice is none."""
    labels: dict[str, str] = {}
    position, end = 0, len(text.rstrip(" \t"))
    while position < end:
        found = _LABEL.match(text, position)
        if found is None or len(labels) >= MAX_LABELS:
            return None
        name, value = found.groups()
        if name in labels:
            return None
        if "\\" in value:
            value = _ESCAPED.sub(lambda escape: _ESCAPES[escape[0]], value)
        labels[name] = value
        position = found.end()
    return labels


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
    """Read a page; `wanted` names the series to keep (histograms by their _bucket).

    Raises BadData where more than MAX_SAMPLES are to be kept.
    """
    series: dict[str, list[Sample]] = {}
    damaged: set[str] = set()
    count = 0
    for line in _lines(body, wanted):
        if (parsed := parse_line(line)) is None:
            damaged.add(_name(line))
            continue
        count += 1
        if count > MAX_SAMPLES:
            raise BadData(f"its metrics page has more than {MAX_SAMPLES:,} samples to read")
        series.setdefault(parsed[0], []).append(parsed[1])
    return Page(series, damaged)
