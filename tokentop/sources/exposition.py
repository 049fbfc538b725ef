"""A tolerant scanner of Prometheus and OpenMetrics text: one bad line costs that line.

Only the series a caller wants are taken apart, and each of them once: a server writes the same
label sets at every poll. A last line without its newline was cut in transit and is
dropped.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
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
_TYPE = b"\n# TYPE "  # begins a family

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
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_ESCAPED = re.compile(r"\\[\\\"n]")


def number(text: str) -> float | None:
    """A number as the formats write it (NaN and infinities included), else None."""
    if "_" in text or not text.isascii() or text != text.strip():  # which float reads as well
        return None
    try:
        return float(text)
    except ValueError:
        return None


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


def _slices(body: bytes) -> Iterator[bytes]:
    """The whole lines in parts of about SLICE bytes: as text a page takes four times its size.

    What follows the last newline was cut in transit.
    """
    at, last = 0, body.rfind(b"\n") + 1
    while at < last:
        end = body.find(b"\n", min(at + SLICE, last - 1)) + 1
        yield body[at:end]
        at = end


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
        if not line or line[0] == "#":
            continue
        head, _, text = line.rpartition(" ")
        known = _kept.get(head)
        if known is not None and (value := number(text)) is not None:
            if wanted is not None and known.name not in wanted:
                continue
            name, sample = known.name, tuple.__new__(Sample, (known.labels, value, known.key))
        else:
            name = _name(line)
            if wanted is not None and name not in wanted:
                continue
            if (parsed := parse_line(line)) is None:
                damaged.add(name)
                continue
            name, sample = parsed
        count += 1
        if count > MAX_SAMPLES:
            raise BadData(f"its metrics page has more than {MAX_SAMPLES:,} samples to read")
        series.setdefault(name, []).append(sample)
    return Page(series, damaged)


def _lines(body: bytes, wanted: frozenset[str] | None) -> Iterator[str]:
    """The lines but those of families that nobody reads, which are not even taken apart."""
    for part in _slices(body):
        first, *families = part.removesuffix(b"\n").split(_TYPE)
        yield from first.decode("utf-8", "replace").split("\n")
        for family in families:
            if wanted is None or not _is_unread(family, wanted):
                # behind its own name and type
                yield from family.decode("utf-8", "replace").split("\n")[1:]


def _is_unread(family: bytes, wanted: frozenset[str]) -> bool:
    """Whether nobody wants a name that begins with the family's, and its last line has such a one.

    Series without a type may follow it, those of one name together.
    """
    name = family[: family.find(b" ")]
    if not _begins_none(name, wanted):
        return False
    end = len(family)
    while (start := family.rfind(b"\n", 0, end) + 1) and family.startswith(b"#", start):
        end = start - 1  # the next family's help
    return family.startswith(name, start)


@lru_cache(4096)
def _begins_none(name: bytes, wanted: frozenset[str]) -> bool:
    return not any(each.encode().startswith(name) for each in wanted)
