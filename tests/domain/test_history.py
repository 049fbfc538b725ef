from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.history import History, Sample, buckets


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


def test_buckets_average_and_leave_gaps():
    """Two values in one slice are averaged, a slice without any is None, a gap counts as none."""
    samples = [Sample(0.5, 0.2), Sample(0.9, 0.4), Sample(1.5, None), Sample(4.0, 1.0)]
    drawn = buckets(samples, lambda s: s.utilization, now=4.0, span_s=4.0, count=4)
    assert drawn == [0.30000000000000004, None, None, 1.0]
    assert buckets(samples, lambda s: s.utilization, 4.0, 4.0, 0) == []
