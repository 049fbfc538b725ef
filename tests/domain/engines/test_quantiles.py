"""Latency quantiles against the observations themselves, over replicas with any buckets."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.engines.quantiles import quantile
from tokentop.domain.engines.readings import Histogram

INF = math.inf


def histogram(observations: list[float], bounds: list[float]) -> Histogram:
    """The histogram of a server that observed these."""
    edges = [*sorted(set(bounds)), INF]
    counts = tuple((edge, float(sum(o <= edge for o in observations))) for edge in edges)
    return Histogram(counts)


def bucket_of(value: float, bounds: list[float]) -> tuple[float, float]:
    edges = [0.0, *sorted(set(bounds)), INF]
    return next((low, high) for low, high in itertools.pairwise(edges) if value <= high)


SECONDS = st.floats(0.001, 100.0)
SEEN = st.lists(SECONDS, min_size=1, max_size=30)
BOUNDS = st.lists(SECONDS, min_size=1, max_size=8)
Q = st.floats(0.01, 1.0)


@given(st.lists(SEEN, min_size=1, max_size=4), BOUNDS, Q)
def test_lies_in_the_bucket_of_the_true_quantile(
    replicas: list[list[float]], bounds: list[float], q: float
) -> None:
    """With equal buckets the answer lies in the bucket that holds the merged observations' own."""
    everything = sorted(o for seen in replicas for o in seen)
    true = everything[max(0, math.ceil(q * len(everything) - 1e-9) - 1)]
    low, high = bucket_of(true, bounds)
    found = quantile([histogram(seen, bounds) for seen in replicas], q)
    assert found is not None
    slack = 1e-9 * max(1.0, low)
    assert low - slack <= found <= (max(bounds) if math.isinf(high) else high) + slack


@given(st.lists(SEEN, min_size=1, max_size=4), BOUNDS, Q)
def test_merging_equals_one_histogram_of_all(
    replicas: list[list[float]], bounds: list[float], q: float
) -> None:
    """Replicas with equal buckets together say what one server with all the requests would."""
    everything = [o for seen in replicas for o in seen]
    merged = quantile([histogram(seen, bounds) for seen in replicas], q)
    assert merged == pytest.approx(quantile([histogram(everything, bounds)], q))


@given(SEEN, SEEN, BOUNDS, BOUNDS, Q)
def test_different_buckets_stay_between_the_replicas(
    a: list[float], b: list[float], a_bounds: list[float], b_bounds: list[float], q: float
) -> None:
    """A merged quantile over different buckets lies between the replicas' own, finite and >= 0."""
    a_bounds, b_bounds = [*a_bounds, 100.0], [*b_bounds, 100.0]  # nothing lies beyond
    one, other = histogram(a, a_bounds), histogram(b, b_bounds)
    alone = [quantile([h], q) for h in (one, other)]
    merged = quantile([one, other], q)
    assert merged is not None
    lowest, highest = min(x for x in alone if x is not None), max(x for x in alone if x is not None)
    bounds = sorted({0.0, *a_bounds, *b_bounds})
    below = max((x for x in bounds if x <= lowest), default=0.0)
    above = min((x for x in bounds if x >= highest), default=highest)
    assert below - 1e-6 <= merged <= above + 1e-6


@given(st.lists(SEEN, min_size=1, max_size=3), BOUNDS, Q, Q)
def test_rises_with_q(replicas: list[list[float]], bounds: list[float], p: float, q: float) -> None:
    """A higher quantile is never lower."""
    found = [quantile([histogram(s, bounds) for s in replicas], x) for x in sorted((p, q))]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] <= found[1] + 1e-12


ANYTHING = st.lists(
    st.tuples(st.floats(allow_nan=False), st.floats(-9e15, 9e15)),
    max_size=6,
    unique_by=lambda b: b[0],
)


@given(st.lists(ANYTHING, max_size=3), Q)
def test_nonsense_never_raises(replicas: list[list[tuple[float, float]]], q: float) -> None:
    """Whatever bounds and counts a server invents, there is a finite answer or none."""
    found = quantile([Histogram(tuple(sorted(rows))) for rows in replicas], q)
    assert found is None or math.isfinite(found)


def test_a_mean_of_quantiles_would_be_wrong() -> None:
    """One slow replica with few requests hardly moves the fleet's p95."""
    fast = histogram([0.05] * 980, [0.1, 1.0, 10.0])
    slow = histogram([9.0] * 20, [0.1, 1.0, 10.0])
    assert quantile([fast, slow], 0.95) == pytest.approx(0.1, rel=0.05)


def test_no_observations_no_quantile() -> None:
    """A quiet minute has no latency, and nothing at all has none either."""
    assert quantile([histogram([], [1.0])], 0.5) is None
    assert quantile([], 0.5) is None


def test_beyond_the_last_bound_is_that_bound() -> None:
    """What lies in the open bucket is reported as its lower bound."""
    assert quantile([histogram([50.0], [1.0, 10.0])], 0.5) == 10.0
