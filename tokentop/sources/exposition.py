"""A tolerant scanner of Prometheus and OpenMetrics text: one bad line costs that line.

Only the series a caller wants are taken apart, so a page of 50 kB costs well under a
millisecond. Never raises. A last line without its newline was cut in transit and is dropped.
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from tokentop.domain.engines.readings import Histogram

MAX_LABELS = 64
SHORT = 512  # longer label sets are not kept
LARGEST = float(2**53)  # above it a count is no longer exact; servers write "unlimited" so

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
_MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"([^"]*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_ESCAPED = re.compile(r"\\[\\\"n]")


class Sample(NamedTuple):
    """One line: a label set and its value, which may be NaN or infinite."""

    labels: Mapping[str, str]
    value: float


class Page:
    """The wanted series of one page, by name."""

    __slots__ = ("_series",)

    def __init__(self, series: Mapping[str, list[Sample]]) -> None:
        self._series = series

    def __bool__(self) -> bool:
        return bool(self._series)

    def samples(self, name: str) -> list[Sample]:
        """The samples of a name whose value is a measurement: neither NaN nor without bound.

        A selector behind the name, as Prometheus writes it, leaves the others out.
        """
        name, brace, selector = name.partition("{")
        found = [s for s in self._series.get(name, ()) if -LARGEST <= s.value <= LARGEST]
        return [s for s in found if _selected(s, selector)] if brace else found

    def names(self) -> tuple[str, ...]:
        return tuple(self._series)

    def has(self, name: str) -> bool:
        return name in self._series

    def total(self, *names: str) -> float | None:
        """The sum over the label sets of the first name that is there; None where none is."""
        for name in names:
            if found := self.samples(name):
                return math.fsum(s.value for s in found)
        return None

    def highest(self, *names: str) -> float | None:
        """The highest value of the first name that is there: for ratios, which never add up."""
        for name in names:
            if found := self.samples(name):
                return max(s.value for s in found)
        return None

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The sums of a name by one label's value."""
        sums: dict[str, float] = {}
        for sample in self.samples(name):
            key = sample.labels.get(label, "")
            sums[key] = sums.get(key, 0.0) + sample.value
        return sums

    def label_values(self, name: str, label: str) -> tuple[str, ...]:
        """The distinct values of one label over a name's samples, in their order on the page."""
        seen = (sample.labels.get(label, "") for sample in self._series.get(name, ()))
        return tuple(dict.fromkeys(value for value in seen if value))

    def histogram(self, *bases: str) -> Histogram | None:
        """The first of the named histograms that is there, merged over its label sets."""
        for base in bases:
            counts: dict[float, float] = {}
            for sample in self.samples(f"{base}_bucket"):
                bound = number(sample.labels.get("le", ""))
                if bound is not None and not math.isnan(bound):
                    counts[bound] = counts.get(bound, 0.0) + sample.value
            if counts:
                return Histogram(
                    tuple(sorted(counts.items())),
                    self.total(f"{base}_sum"),
                    self.total(f"{base}_count"),
                )
        return None


def _selected(sample: Sample, selector: str) -> bool:
    matches = (
        (pattern.fullmatch(sample.labels.get(label, "")) is not None) == wanted
        for label, pattern, wanted in _matchers(selector)
    )
    return all(matches)


@lru_cache(64)
def _matchers(selector: str) -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    """Label, expression, and whether it must match; `=` and `!=` take their text as it stands."""
    return tuple(
        (label, re.compile(text if "~" in operator else re.escape(text)), operator[0] == "=")
        for label, operator, text in _MATCHER.findall(selector)
    )


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
    """Read once for all polls: an engine says the same labels again and again."""
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


def _lines(text: str, wanted: frozenset[str] | None) -> Iterator[str]:
    lines = text.split("\n")
    lines.pop()  # empty after a final newline, else cut in transit
    for line in lines:
        if not line or line[0] == "#":
            continue
        head = line.partition("{")[0]
        if wanted is None or head in wanted or (_spaced(head) and _name(line) in wanted):
            yield line


def _spaced(head: str) -> bool:
    """A line without labels, or a spacing before them that is allowed and rare."""
    return " " in head or "\t" in head


def _name(line: str) -> str:
    if line[0] in " \t" or "\t" in line:  # a spacing that is allowed and rare
        line = line.lstrip(" \t").replace("\t", " ")
    return line.partition("{")[0].partition(" ")[0]


def whole(value: float | None) -> int | None:
    """A gauge as a count; a negative one is none."""
    return None if value is None or value < 0 else round(value)


def ratio(value: float | None) -> float | None:
    """A gauge as a ratio 0-1; a negative one is none."""
    return None if value is None or value < 0 else min(value, 1.0)


def parse(body: bytes, wanted: frozenset[str] | None = None) -> Page:
    """Read a page; `wanted` names the series to keep (histograms as _bucket, _sum, _count)."""
    series: dict[str, list[Sample]] = {}
    for line in _lines(body.decode("utf-8", "replace"), wanted):
        if (parsed := parse_line(line)) is not None:
            series.setdefault(parsed[0], []).append(parsed[1])
    return Page(series)


def histogram_names(*bases: str) -> tuple[str, ...]:
    """What to want for histograms."""
    return tuple(f"{base}_{part}" for base in bases for part in ("bucket", "sum", "count"))
