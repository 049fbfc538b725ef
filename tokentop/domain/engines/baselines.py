"""What counters and histograms gained between two readings, each label set by itself.

As sum(rate()) does it: a label set that was not seen before gains nothing, and one that fell
begins anew, whatever the others do. One that is absent keeps its last value, so that its gain is
counted when it comes back. Times are monotonic seconds.
"""

from collections.abc import Mapping

from tokentop.domain.engines.readings import Histogram, Histograms, LabelSets
from tokentop.named_tuple import NamedTuple

FORGET_S = 120.0  # a label set that was absent for longer is a new one when it comes back
LATE_S = 12.0  # one that is absent for less long, or in one reading only, is waited for
MAX_SETS = 4096
MAX_COLUMNS = 64

Bounds = tuple[float, ...]
Counts = tuple[float, ...]
Column = tuple[str, Bounds]  # a latency's name, and the buckets of some of its label sets


class Held(NamedTuple):
    """One label set: its value when it was last seen, `since` when it has only risen."""

    value: float
    at: float
    since: float


class Gain(NamedTuple):
    """What one reading added to a counter. `late` are (gain, since when) of sets long absent.

    It is a lower bound where a set `began`: it was new, or has fallen.
    """

    amount: float = 0.0
    late: tuple[tuple[float, float], ...] = ()
    began: bool = False
    counted: bool = False  # whether any set was seen before


class Span(NamedTuple):
    """From when to when the gains of a counter are those of all its label sets."""

    since: float
    until: float


class Baseline:
    """The label sets of one counter."""

    __slots__ = ("sets",)

    def __init__(self, sets: Mapping[str, Held] | None = None) -> None:
        self.sets = dict(sets or {})

    def add(self, sets: LabelSets, now: float, before: float | None) -> Gain:
        """Take one reading; `before` is when the one before it was made."""
        amount, late, began, counted = 0.0, [], False, False
        for key, value in sets:
            held = self.sets.get(key)
            if held is None or value < held.value:
                began = began or value > 0 or held is not None
                self.sets[key] = Held(value, now, now)
                continue
            counted = True
            gained = value - held.value
            amount += gained
            if gained and held.at != before:
                late.append((gained, held.at))
            self.sets[key] = Held(value, now, held.since)
        self._forget(now)
        return Gain(amount, tuple(late), began and before is not None, counted)

    def raise_to(self, key: str, value: float) -> None:
        """Count the gain of a label set from `value` on, where its last one was lower."""
        held = self.sets.get(key)
        if held is not None and held.value < value:
            self.sets[key] = held._replace(value=value)

    def span(self, now: float, before: float | None) -> Span | None:
        """Until the first of its label sets went missing; None where no set is there any more."""
        waited = min(now - LATE_S, now if before is None else before)
        there = [held for held in self.sets.values() if held.at == now or held.at >= waited]
        if not there:
            return None
        return Span(min(held.since for held in there), min(held.at for held in there))

    def _forget(self, now: float) -> None:
        oldest = now if len(self.sets) > MAX_SETS else now - FORGET_S
        if any(held.at < oldest for held in self.sets.values()):
            self.sets = {key: held for key, held in self.sets.items() if held.at >= oldest}


class HeldHistogram(NamedTuple):
    """One label set of a histogram when it was last seen."""

    bounds: Bounds
    counts: Counts
    at: float


class HistogramBaselines:
    """The label sets of all histograms, and what each column of buckets gained so far."""

    __slots__ = ("gained", "sets")

    def __init__(
        self,
        sets: Mapping[tuple[str, str], HeldHistogram] | None = None,
        gained: Mapping[Column, Counts] | None = None,
    ) -> None:
        self.sets = dict(sets or {})
        self.gained = dict(gained or {})

    def add(self, latencies: Histograms, now: float) -> None:
        """Take one reading."""
        for name, histograms in zip(Histograms._fields, latencies, strict=True):
            for histogram in histograms:
                self._add(name, histogram, now)
        self._forget(now)

    def _forget(self, now: float) -> None:
        oldest = now if len(self.sets) > MAX_SETS else now - FORGET_S
        if any(held.at < oldest for held in self.sets.values()):
            self.sets = {key: held for key, held in self.sets.items() if held.at >= oldest}
        if len(self.gained) > MAX_COLUMNS:
            there = {(name, held.bounds) for (name, _), held in self.sets.items()}
            self.gained = {column: n for column, n in self.gained.items() if column in there}

    def _add(self, name: str, histogram: Histogram, now: float) -> None:
        if not histogram.buckets:
            return
        bounds, counts = zip(*histogram.buckets, strict=True)
        held = self.sets.get((name, histogram.key))
        self.sets[name, histogram.key] = HeldHistogram(bounds, counts, now)
        column = (name, bounds)
        before = self.gained.setdefault(column, (0.0,) * len(bounds))
        if held is None or held.bounds != bounds or held.counts == counts:
            return
        steps = [new - old for new, old in zip(counts, held.counts, strict=True)]
        if min(steps) >= 0:
            self.gained[column] = tuple([a + b for a, b in zip(before, steps, strict=True)])
