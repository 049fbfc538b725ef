from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.history import History, Sample, sample_at, series


def test_forgets_what_is_older_than_its_span():
    """An hour of memory holds an hour."""
    history = History(span_s=10)
    for second in range(30):
        history.add(Sample(float(second), second / 100))
    assert [s.t for s in history.window(29.0, 100)] == [float(t) for t in range(19, 30)]


def test_window_is_oldest_first_and_keeps_gaps():
    """A refresh that knew nothing is a gap, not a hole or a zero."""
    history = History()
    for t, value in ((1.0, 0.5), (5.0, None), (9.0, 0.7)):
        history.add(Sample(t, value))
    assert [s.utilization for s in history.window(10.0, 6)] == [None, 0.7]
    assert [s.utilization for s in history.window(8.0, 10)] == [0.5, None]


@given(st.lists(st.floats(0, 1e6), max_size=200), st.integers(1, 50))
def test_stays_bounded_and_in_order(times, most):
    """Whatever the clock does, at most `most` samples in rising time."""
    history = History(most=most)
    for t in times:
        history.add(Sample(t))
    kept = [s.t for s in history.window(2e6, 3e6)]
    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert not times or kept[-1] == times[-1]


def test_a_slice_has_its_highest_value_and_gaps_stay_gaps():
    """A poll that brought nothing, and polls that are missing, are both None and never 0."""
    known = [Sample(4.0 * i, i / 100) for i in range(25) if i not in (10, 11, 12)]
    samples = [s._replace(utilization=None) if s.t == 80.0 else s for s in known]
    drawn = series(samples, lambda s: s.utilization, now=100.0, span_s=100.0, count=25)
    assert drawn[:10] == [i / 100 for i in range(10)]
    assert drawn[10:13] == [None] * 3
    assert drawn[20] is None
    halves = series(samples, lambda s: s.utilization, now=100.0, span_s=100.0, count=2)
    assert halves == [0.09, 0.24]
    assert series(samples, lambda s: s.utilization, 100.0, 100.0, 0) == []


def test_slices_shorter_than_the_interval_repeat_the_poll_before():
    """A minute's polls in seconds are a line, up to the time when the next one is due."""
    samples = [Sample(10.0 * i, 0.5) for i in range(6)]
    assert series(samples, lambda s: s.utilization, 60.0, 60.0, 60) == [0.5] * 60
    late = series(samples, lambda s: s.utilization, 110.0, 60.0, 60)
    assert late[:1] == [0.5]
    assert set(late[2:]) == {None}


def test_the_sample_in_force_is_the_last_one_before_the_moment():
    """Between two polls the first one holds; where polls are missing none does."""
    samples = [Sample(t, t / 100) for t in (0.0, 4.0, 8.0, 28.0, 32.0)]
    assert sample_at(samples, 7.9) == Sample(4.0, 0.04)
    assert sample_at(samples, 8.0) == Sample(8.0, 0.08)
    assert sample_at(samples, 20.0) is None
