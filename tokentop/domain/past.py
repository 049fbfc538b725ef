"""A stretch of the past: what a history view asks for, and what a store or a server answers."""

from tokentop.domain.history import Sample
from tokentop.named_tuple import NamedTuple

POINTS = 600  # slices of one stretch: more than a chart of 250 cells has dots


class PastError(Exception):
    """Why a stretch cannot be shown, as one sentence."""


class Stretch(NamedTuple):
    """From `start` to `end`, Unix seconds, both included."""

    start: float
    end: float

    @property
    def slice_s(self) -> float:
        """Seconds of one of its POINTS slices."""
        return (self.end - self.start) / POINTS


class Past(NamedTuple):
    """The lowest, mean and highest of every figure, slice by slice in rising time.

    The three have the same times, the first one in its slice, on the clock of whoever asked. A
    slice in which nothing was kept is not there; a figure that was unknown is None.
    """

    low: tuple[Sample, ...] = ()
    mean: tuple[Sample, ...] = ()
    high: tuple[Sample, ...] = ()

    def moved(self, by_s: float) -> "Past":
        """The same on a clock that is `by_s` seconds ahead of this one's."""
        low, mean, high = (tuple(s._replace(t=s.t + by_s) for s in each) for each in self)
        return Past(low, mean, high)

    def overlaid(self, other: "Past", slice_s: float) -> "Past":
        """What the other knows in each slice of `slice_s` seconds, and this where it does not."""
        low, mean, high = (_overlaid(a, b, slice_s) for a, b in zip(self, other, strict=True))
        return Past(low, mean, high)


def _overlaid(
    under: tuple[Sample, ...], over: tuple[Sample, ...], slice_s: float
) -> tuple[Sample, ...]:
    found: dict[float, Sample] = {}
    for sample in (*under, *over):
        at = sample.t // slice_s
        before = found.get(at)
        if before is not None:
            figures = (b if a is None else a for a, b in zip(sample[1:], before[1:], strict=True))
            sample = Sample(sample.t, *figures)
        found[at] = sample
    return tuple(found[at] for at in sorted(found))
