"""The series of one metrics page, by name and selector.

Apart from the scanner (exposition.py), whose expressions cost a millisecond to compile: the search
for engines imports every engine's file and reads no page.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from tokentop.domain.text import clean
from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import LARGEST

_MATCHER = r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"([^"]*)"'


class Sample(NamedTuple):
    """One line: a label set and its value, which may be NaN or infinite.

    `key` is the same for the same label set, `le` left out.
    """

    labels: Mapping[str, str]
    value: float
    key: str = ""


class Page:
    """The wanted series of one page, by name; lines of `damaged` ones could not be read."""

    __slots__ = ("_damaged", "_series")

    def __init__(
        self, series: Mapping[str, list[Sample]], damaged: Collection[str] = frozenset()
    ) -> None:
        self._series = series
        self._damaged = damaged

    def has_any(self, prefix: str) -> bool:
        """Whether there is a series whose name begins so."""
        return any(name.startswith(prefix) for name in (*self._series, *self._damaged))

    def all(self, name: str) -> list[Sample]:
        """Every sample of a name; a selector behind it leaves others out, as in Prometheus."""
        name, brace, selector = name.partition("{")
        found = self._series.get(name, [])
        return _selected(found, selector) if brace and found else found

    def samples(self, name: str) -> list[Sample]:
        """The samples whose value is a measurement."""
        return [s for s in self.all(name) if is_measurement(s.value)]

    def is_damaged(self, name: str) -> bool:
        """Whether a line of this series could not be read."""
        return bool(self._damaged) and name.partition("{")[0] in self._damaged

    def label_values(self, name: str, label: str) -> tuple[str, ...]:
        """The distinct values of one label over a name's samples, safe, in the page's order."""
        seen = (clean(sample.labels.get(label, "")) for sample in self._series.get(name, ()))
        return tuple(dict.fromkeys(value for value in seen if value))


def is_measurement(value: float) -> bool:
    """Neither NaN nor negative, nor so large that it means "unlimited"."""
    return 0 <= value <= LARGEST


def bucket_name(base: str) -> str:
    """The series that holds a histogram's buckets; `base` may have a selector behind it."""
    name, brace, selector = base.partition("{")
    return f"{name}_bucket{brace}{selector}"


def in_milliseconds(base: str) -> bool:
    """Whether a histogram is in milliseconds, by its name; all others are in seconds."""
    return base.partition("{")[0].endswith("_ms")


@lru_cache(1024)
def upper_bound(le: str) -> float | None:
    """A bucket's label as a number, infinite for the last one; None where it is none."""
    try:
        bound = float(le)
    except ValueError:
        return None
    return None if bound != bound or "_" in le else bound


def _selected(samples: list[Sample], selector: str) -> list[Sample]:
    for label, pattern, wanted in _matchers(selector):
        match = pattern.fullmatch
        samples = [s for s in samples if (match(s.labels.get(label, "")) is not None) == wanted]
    return samples


@lru_cache(64)
def _matchers(selector: str) -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    """Label, expression, and whether it must match; `=` and `!=` take their text as it stands."""
    return tuple(
        (label, re.compile(text if "~" in operator else re.escape(text)), operator[0] == "=")
        for label, operator, text in re.findall(_MATCHER, selector)
    )
