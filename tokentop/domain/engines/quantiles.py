"""Latency quantiles from histograms of observations, merged across replicas.

A quantile of merged counts is right; a mean of per-replica quantiles is not.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from tokentop.domain.engines.readings import Histogram

Buckets = tuple[tuple[float, float], ...]


def quantile(histograms: Sequence[Histogram], q: float) -> float | None:
    """The q-quantile (0-1) in seconds over all histograms together; None without observations.

    Linear within a bucket, as Prometheus' histogram_quantile; an answer in the +Inf bucket is the
    highest finite bound, which is then a lower bound. Replicas may have different buckets.
    """
    return quantiles(histograms, q)[0]


def quantiles(histograms: Sequence[Histogram], *qs: float) -> tuple[float | None, ...]:
    """As `quantile`, several from one merging."""
    merged = histograms[0].buckets if len(histograms) == 1 else _merged(histograms)
    bounds, counts = [bound for bound, _ in merged], _rising([count for _, count in merged])
    return tuple([_quantile(bounds, counts, q) for q in qs])


def _rising(counts: list[float]) -> list[float]:
    """Cumulative counts never fall below 0; where a server's do, the lower count is raised."""
    return list(accumulate(counts, max, initial=0.0))[1:]


def _merged(histograms: Sequence[Histogram]) -> Buckets:
    """Those with the same bounds are added first: a fleet has few sorts of engines."""
    alike: dict[tuple[float, ...], list[Buckets]] = {}
    for histogram in histograms:
        bounds = tuple([bound for bound, _ in histogram.buckets])
        alike.setdefault(bounds, []).append(histogram.buckets)
    sums = [each[0] if len(each) == 1 else _add(each) for each in alike.values()]
    return (
        _mix([_raised(buckets) for buckets in sums]) if len(sums) > 1 else sums[0] if sums else ()
    )


def _raised(buckets: Buckets) -> Buckets:
    counts = _rising([count for _, count in buckets])
    return tuple((bound, count) for (bound, _), count in zip(buckets, counts, strict=True))


def _add(histograms: Sequence[Buckets]) -> Buckets:
    columns = zip(*histograms, strict=True)
    return tuple((column[0][0], math.fsum([count for _, count in column])) for column in columns)


def _mix(histograms: Sequence[Buckets]) -> Buckets:
    bounds = sorted({bound for buckets in histograms for bound, _ in buckets})
    columns = zip(*(_counts_below(buckets, bounds) for buckets in histograms), strict=True)
    return tuple((b, math.fsum(column)) for b, column in zip(bounds, columns, strict=True))


def _counts_below(buckets: Buckets, bounds: Iterable[float]) -> Iterator[float]:
    """How many lie below each of the rising `bounds`, of counts that never fall."""
    low, below = 0.0, 0.0
    rest = iter(buckets)
    bound, count = next(rest, (math.inf, 0.0))
    for x in bounds:
        while x >= bound and not math.isinf(bound):
            low, below = max(0.0, bound), count
            bound, count = next(rest, (math.inf, count))
        # Where the bucket is open-ended its members lie above every bound that is asked for.
        if math.isinf(x):
            yield count
        elif math.isinf(bound) or x <= low:
            yield below
        else:
            yield below + (count - below) * ((x - low) / (bound - low))


def _quantile(bounds: Sequence[float], counts: Sequence[float], q: float) -> float | None:
    if not counts or counts[-1] <= 0:
        return None
    rank = q * counts[-1]
    i = bisect_left(counts, rank) if rank > 0 else bisect_right(counts, 0.0)
    below = counts[i - 1] if i else 0.0
    low = max(0.0, bounds[i - 1]) if i else 0.0  # no latency is negative
    if math.isinf(bounds[i]) or bounds[i] <= low:
        return low
    return low + (bounds[i] - low) * (max(0.0, rank - below) / (counts[i] - below))
