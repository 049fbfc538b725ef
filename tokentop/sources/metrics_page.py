"""The series of one metrics page: sums, maxima, labels and histograms of those that were kept.

Apart from the scanner (exposition.py), whose expressions cost a millisecond to compile: the search
for engines imports every engine's file and reads no page.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from tokentop.domain.engines.readings import Histogram

LARGEST = float(2**53)  # above it a count is no longer exact; servers write "unlimited" so

_MATCHER = r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"([^"]*)"'


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
        from tokentop.sources.exposition import number  # loaded when the page was read

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
        for label, operator, text in re.findall(_MATCHER, selector)
    )


def whole(value: float | None) -> int | None:
    """A gauge as a count; a negative one is none."""
    return None if value is None or value < 0 else round(value)


def ratio(value: float | None) -> float | None:
    """A gauge as a ratio 0-1; a negative one is none."""
    return None if value is None or value < 0 else min(value, 1.0)


def histogram_names(*bases: str) -> tuple[str, ...]:
    """What to want for histograms."""
    return tuple(f"{base}_{part}" for base in bases for part in ("bucket", "sum", "count"))
