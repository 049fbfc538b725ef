"""Metrics pages and JSON by other people's readers, and variants in which all figures differ."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tokentop.domain.engines.readings import (
    CounterSets,
    EngineReading,
    Histogram,
    Histograms,
)

Row = tuple[Mapping[str, str], float]

RATIO = re.compile(r"usage|_perc|ratio|utilization")  # 0-1 by the vendors' documentation
_SAMPLE = re.compile(r"(?m)^([a-zA-Z_:][\w:]*)((?:\{[^\n]*\})?) \S+$")


class Metrics:
    """A metrics page as prometheus_client reads it."""

    def __init__(self, body: bytes) -> None:
        self._rows: dict[str, list[Row]] = {}
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                self._rows.setdefault(sample.name, []).append((sample.labels, sample.value))

    def rows(self, name: str, **labels: str) -> list[Row]:
        """The samples of a series with these labels; the library adds _total to counters."""
        rows = self._rows.get(name) or self._rows.get(f"{name}_total", [])
        return [row for row in rows if labels.items() <= row[0].items()]

    def sum(self, name: str, **labels: str) -> float | None:
        rows = self.rows(name, **labels)
        return math.fsum(value for _, value in rows) if rows else None

    def count(self, name: str, **labels: str) -> int | None:
        found = self.sum(name, **labels)
        return None if found is None else int(found)

    def highest(self, name: str) -> float | None:
        return max((value for _, value in self.rows(name)), default=None)

    def values(self, name: str, label: str) -> tuple[str, ...]:
        """The distinct values of a label, in their order on the page."""
        found = (labels.get(label, "") for labels, _ in self.rows(name))
        return tuple(dict.fromkeys(value for value in found if value))

    def histogram(self, name: str, unit: float = 1.0, **labels: str) -> tuple[Histogram, ...]:
        """All label sets of a histogram added up; `unit` is how many seconds its unit has."""
        sums: dict[float, float] = {}
        for own, count in self.rows(f"{name}_bucket", **labels):
            bound = float(own["le"]) * unit
            sums[bound] = sums.get(bound, 0.0) + count
        return (Histogram(tuple(sorted(sums.items()))),) if sums else ()


def added_up(reading: EngineReading) -> EngineReading:
    """The reading with its label sets added up, as an oracle knows them.

    The counters' must be their totals already.
    """
    for sets, total in zip(reading.sets, reading.counters, strict=True):
        assert not sets or math.isclose(math.fsum(value for _, value in sets), total)
    merged = Histograms(*map(_added_up, reading.latencies))
    return reading._replace(sets=CounterSets(), latencies=merged)


def _added_up(histograms: tuple[Histogram, ...]) -> tuple[Histogram, ...]:
    assert len({histogram.key for histogram in histograms}) == len(histograms)
    sums: dict[float, float] = {}
    for bound, count in (bucket for each in histograms for bucket in each.buckets):
        sums[bound] = sums.get(bound, 0.0) + count
    return (Histogram(tuple(sorted(sums.items()))),) if sums else ()


def numbered(path: str, body: bytes) -> bytes:
    """The same answer with another number in every place, so that no two figures are alike.

    Equal figures hide mix-ups: the captured servers never preempted nor rejected a request.
    """
    numbers = iter(range(1, 1_000_000))
    if path.endswith("/metrics"):
        return _renumbered_page(body, numbers)
    if not body.startswith((b"{", b"[")):
        return body
    return json.dumps(_renumbered(json.loads(body), lambda: next(numbers))).encode()


def _renumbered_page(body: bytes, numbers: Iterator[int]) -> bytes:
    def line(found: re.Match[str]) -> str:
        number = next(numbers)
        value: float = number / 1e5 if RATIO.search(found[1]) else number
        return f"{found[1]}{found[2]} {value}"

    return _SAMPLE.sub(line, body.decode()).encode()


def _renumbered(value: Any, number: Callable[[], int], name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _renumbered(each, number, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_renumbered(each, number, name) for each in value]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return value
    return number() / 1e5 if RATIO.search(name) else number()


def copied_rank(body: bytes, label: str) -> bytes:
    """A page in which every sample of rank 0 is said by a rank 1 as well, with the same value."""
    mark = f'{label}="0"'
    lines = body.decode().splitlines()
    copies = [line.replace(mark, f'{label}="1"') for line in lines if mark in line]
    return ("\n".join([*lines, *copies]) + "\n").encode()
