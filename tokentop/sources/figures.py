"""The gate between a metrics page and a reading: what is no measurement is unknown, and named.

Unusable is a sample that is NaN, negative or without bound, a line that could not be read, a label
set that comes twice with different values, and a ratio above 1.
"""

from collections.abc import Sequence
from math import fsum

from tokentop.domain.engines.readings import Histogram, LabelSets
from tokentop.sources.json_fields import as_share
from tokentop.sources.metrics_page import (
    Page,
    Sample,
    bucket_name,
    in_milliseconds,
    is_measurement,
    upper_bound,
)

Rows = list[Sample]


class Figures:
    """Reads the figures of one page; `bad` names those that came in an unusable form.

    Of several names the first that is there counts.
    """

    __slots__ = ("_bad", "_page")

    def __init__(self, page: Page) -> None:
        self._page = page
        self._bad: dict[str, None] = {}

    @property
    def bad(self) -> tuple[str, ...]:
        return tuple(self._bad)

    def mark(self, figure: str) -> None:
        """Name `figure` as unusable."""
        self._bad[figure] = None

    def samples(self, figure: str, *names: str) -> Rows:
        """The usable label sets, each once."""
        rows, sound = self._read(names)
        if not sound:
            self.mark(figure)
        return rows

    def complete(self, figure: str, *names: str) -> Rows:
        """All label sets; none of them where one is unusable."""
        rows, sound = self._read(names)
        if not sound:
            self.mark(figure)
        return rows if sound else []

    def amount(self, figure: str, *names: str) -> float | None:
        """The sum over the label sets; None where there are none."""
        rows = self.complete(figure, *names)
        return fsum(row.value for row in rows) if rows else None

    def count(self, figure: str, *names: str) -> int | None:
        """The same as a whole number."""
        value = self.amount(figure, *names)
        return None if value is None else round(value)

    def ratio(self, figure: str, *names: str) -> float | None:
        """The highest ratio 0-1 of the label sets: ratios never add up."""
        rows = self.complete(figure, *names)
        return self.within_one(figure, max((row.value for row in rows), default=None))

    def within_one(self, figure: str, value: float | None) -> float | None:
        """The value as a ratio 0-1; where it is above it is unusable."""
        share = as_share(value)
        if share is None and value is not None:
            self.mark(figure)
        return share

    def sets(self, figure: str, *names: str) -> LabelSets:
        """A counter's label sets with their values."""
        return tuple([(row.key, row.value) for row in self.samples(figure, *names)])

    def histograms(self, figure: str, *bases: str) -> tuple[Histogram, ...]:
        """Every label set of the first of these histograms that is there, in seconds."""
        for base in bases:
            name = bucket_name(base)
            if self._page.is_damaged(name):
                self.mark(figure)
            if rows := self._page.all(name):
                unit = 1000.0 if in_milliseconds(base) else 1.0
                return self._merged(figure, rows, unit)
        return ()

    def _merged(self, figure: str, rows: Rows, unit: float) -> tuple[Histogram, ...]:
        found: dict[str, dict[float, float]] = {}
        spoiled: set[str] = set()
        for labels, count, key in rows:
            bound = upper_bound(labels.get("le", ""))
            counts = found.setdefault(key, {})
            if bound is None or bound in counts or not is_measurement(count):
                spoiled.add(key)
            else:
                counts[bound] = count
        if spoiled:
            self.mark(figure)
        sound = ((key, counts) for key, counts in found.items() if key not in spoiled)
        return tuple(Histogram(_rising(counts, unit), key) for key, counts in sound)

    def _read(self, names: Sequence[str]) -> tuple[Rows, bool]:
        """The usable label sets of the first of these names, and whether all of them are."""
        for name in names:
            found, damaged = self._page.all(name), self._page.is_damaged(name)
            if found or damaged:
                usable = [row for row in found if is_measurement(row.value)]
                rows, agree = _once(usable)
                return rows, agree and not damaged and len(usable) == len(found)
        return [], True


def _once(rows: Rows) -> tuple[Rows, bool]:
    """Each label set once, without those that disagree with themselves; whether none does."""
    first: dict[str, Sample] = {}
    for row in rows:
        first.setdefault(row.key, row)
    if len(first) == len(rows):
        return rows, True
    differing = {row.key for row in rows if row.value != first[row.key].value}
    return [row for key, row in first.items() if key not in differing], not differing


def _rising(counts: dict[float, float], unit: float) -> tuple[tuple[float, float], ...]:
    ordered = sorted(counts.items())
    return tuple(ordered) if unit == 1.0 else tuple((b / unit, n) for b, n in ordered)
