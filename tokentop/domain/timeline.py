"""Where a replay stands in its recording, and the tiers along the way."""

import itertools
from collections.abc import Iterable, Sequence

from tokentop.domain.verdict.values import Tier
from tokentop.light_typing import get_args
from tokentop.named_tuple import NamedTuple

SLICES = 512
_WORSE: tuple[Tier, ...] = get_args(Tier)


class Stretch(NamedTuple):
    """Snapshots between two moments, evenly spread, by their tiers."""

    first: float
    last: float
    tiers: Sequence[Tier | None]


class Timeline(NamedTuple):
    """A recording from `first` to `last` and the moment `at`, all in seconds of one clock.

    `tiers` has the worst tier of each of SLICES equal parts, None where nothing was recorded or
    known. `speed` is how many recorded seconds pass in one.
    """

    first: float
    last: float
    at: float
    tiers: tuple[Tier | None, ...]
    playing: bool = True
    speed: float = 1.0

    @property
    def fraction(self) -> float:
        """How much of the recording lies before `at`, 0-1."""
        length = self.last - self.first
        return min(1.0, max(0.0, (self.at - self.first) / length)) if length > 0 else 0.0

    def moment(self, fraction: float) -> float:
        """The moment before which so much of the recording lies."""
        return self.first + fraction * (self.last - self.first)


def worst(tiers: Iterable[Tier | None]) -> Tier | None:
    """The highest demand among them; None where none is known."""
    known = [tier for tier in tiers if tier is not None]
    return max(known, key=_WORSE.index) if known else None


def slices(stretches: Iterable[Stretch], first: float, last: float) -> tuple[Tier | None, ...]:
    """The worst tier in each of SLICES equal parts of the time from `first` to `last`."""
    found: list[Tier | None] = [None] * SLICES
    scale = (SLICES - 1) / (last - first) if last > first else 0.0
    for stretch in stretches:
        begin, end = (int((t - first) * scale) for t in (stretch.first, stretch.last))
        if begin == end:
            found[begin] = worst((found[begin], *set(stretch.tiers)))
            continue
        step = (end - begin) / max(1, len(stretch.tiers) - 1)
        for number, tier in enumerate(stretch.tiers):
            place = begin + int(number * step)
            found[place] = worst((found[place], tier))
    return tuple(found)


def cells(tiers: Sequence[Tier | None], width: int) -> list[Tier | None]:
    """The worst tier in each of `width` cells."""
    edges = [len(tiers) * cell // width for cell in range(width + 1)]
    return [worst(tiers[begin : max(begin + 1, end)]) for begin, end in itertools.pairwise(edges)]
