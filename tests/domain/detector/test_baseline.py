"""What a task is expected to cost: held against the definition, by other code than ours."""

from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.detector.baseline import LEAST, RECENT, SETTLED, Baseline

COSTS = st.integers(1, 10**12)


def fed(costs: list[int]) -> Baseline:
    baseline = Baseline()
    for cost in costs:
        baseline.add(cost)
    return baseline


@given(st.lists(COSTS, max_size=SETTLED))
def test_the_first_tasks_make_the_median(costs: list[int]) -> None:
    """Nothing is expected before five of them."""
    assert fed(costs).expected == (median(costs) if len(costs) >= LEAST else None)


@given(st.lists(st.integers(900, 1100), min_size=SETTLED, max_size=200))
def test_a_baseline_that_does_not_drift_stays(costs: list[int]) -> None:
    """A median within 25 % of the expectation never moves it, however many tasks there are."""
    assert fed(costs).expected == median(costs[:SETTLED])


@given(st.integers(1, 10**6), st.sampled_from([(1.3, 55), (1.4, 55), (2.0, 54), (90.0, 54)]))
def test_a_drift_moves_the_baseline_once(cost: int, drift: tuple[float, int]) -> None:
    """With 25 or 26 of 50 tasks the median is off by more than 25 %; thirty tasks make it move."""
    factor, tasks = drift
    higher = round(1000 * cost * factor)
    baseline = fed([1000 * cost] * RECENT)
    expected = []
    for _ in range(200):
        baseline.add(higher)
        expected.append(baseline.expected)
    assert expected == [1000 * cost] * (tasks - 1) + [higher] * (201 - tasks)


def test_a_burst_is_no_drift() -> None:
    """Thirty dear tasks shift the median for a while, and the baseline outlives them."""
    baseline = fed([1000] * RECENT + [9000] * 30 + [1000] * 200)
    assert baseline.expected == 1000


def test_a_swing_about_the_threshold_ends_in_a_move() -> None:
    """Between 12.5 and 25 % off the count of drifting tasks neither grows nor begins anew."""
    baseline = fed([1000] * RECENT)
    for _ in range(20):
        for cost in [1260] * 30 + [1200] * 30:
            baseline.add(cost)
    assert baseline.expected == 1260
