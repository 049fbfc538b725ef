"""Rates from counters: right on steady growth, silent wherever they would be false."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.engines.rates import LATENCY_WINDOW_S, Rates, RateTracker
from tokentop.domain.engines.readings import (
    Counters,
    EngineReading,
    Histogram,
    Histograms,
    SlotProgress,
)

NOTHING = Rates()


def counted(tokens: float | None, *, epoch: float | None = None, **more: float) -> EngineReading:
    return EngineReading("vllm", counters=Counters(generation_tokens=tokens, **more), epoch=epoch)


def kept(*readings: tuple[float, EngineReading]) -> RateTracker:
    keeper = RateTracker()
    for at, reading in readings:
        keeper.add(reading, at)
    return keeper


def tokens_per_s(*readings: tuple[float, EngineReading]) -> float | None:
    return kept(*readings).rates().generation_tokens_per_s


def test_one_reading_tells_no_rate() -> None:
    """A total since the start is not a rate."""
    assert kept((0.0, counted(1e9))).rates() == NOTHING


def test_growth_over_time() -> None:
    """100 tokens in 4 s are 25 a second."""
    assert tokens_per_s((10.0, counted(500)), (14.0, counted(600))) == 25.0


def test_standing_still_is_zero() -> None:
    """A counter that stands still is a known 0, not unknown."""
    assert tokens_per_s((0.0, counted(5)), (4.0, counted(5))) == 0.0


def test_missed_polls_count_their_time() -> None:
    """Two minutes without an answer are too long; less is divided by what really passed."""
    assert tokens_per_s((0.0, counted(0)), (100.0, counted(1000))) == 10.0
    assert tokens_per_s((0.0, counted(0)), (121.0, counted(1000))) is None


def test_a_fallen_counter_is_a_new_baseline() -> None:
    """After a restart nothing is known until the next reading, and no rate is negative or huge."""
    before = (0.0, counted(1e6)), (4.0, counted(1e6 + 40))
    assert tokens_per_s(*before, (8.0, counted(30))) is None
    assert tokens_per_s(*before, (8.0, counted(30)), (12.0, counted(70))) == 10.0


def test_a_changed_start_time_is_a_restart() -> None:
    """Even where every counter has grown past its old value."""
    first = (0.0, counted(10, epoch=100.0))
    assert tokens_per_s(first, (4.0, counted(900, epoch=104.0))) is None
    assert tokens_per_s(first, (4.0, counted(50, epoch=100.0))) == 10.0


@pytest.mark.parametrize("at", [4.0, 3.0, -1e9, 1e9])
def test_a_clock_that_steps_gives_no_rate(at: float) -> None:
    """Time that stands still, runs back or leaps begins anew, and then goes on."""
    keeper = kept((0.0, counted(0)), (4.0, counted(40)), (at, counted(80)))
    assert keeper.rates()._replace(tokens_seen=None) == NOTHING
    keeper.add(counted(120), at + 4.0)
    assert keeper.rates().generation_tokens_per_s == 10.0


def test_a_counter_that_appears_is_no_burst() -> None:
    """What was counted before the series existed for us is not a second's work."""
    assert tokens_per_s((0.0, counted(None)), (4.0, counted(1e6))) is None
    late = (
        (0.0, counted(None)),
        (4.0, counted(1e6)),
        (8.0, counted(1e6 + 4)),
        (20.0, counted(1e6 + 16)),
    )
    assert tokens_per_s(*late) == 1.0


def seen(*readings: tuple[float, EngineReading]) -> tuple[int | None, int | None, bool] | None:
    found = kept(*readings).rates().tokens_seen
    return None if found is None else tuple(found)


def test_tokens_seen_are_the_gains_since_the_first_reading() -> None:
    """Not what the server had counted before; None until a counter was read twice."""
    first = (0.0, counted(7_000, prompt_tokens=90_000))
    assert seen(first) is None
    assert seen(first, (4.0, counted(7_120, prompt_tokens=90_500))) == (500, 120, False)
    assert seen(first, (4.0, counted(7_120, prompt_tokens=None))) == (None, 120, False)


def test_tokens_seen_go_on_across_a_restart() -> None:
    """By gains alone: the last 30 before it and the first 50 after it were in no two readings."""
    until = (0.0, counted(1_000, epoch=1.0)), (4.0, counted(1_120, epoch=1.0))
    after = (8.0, counted(50, epoch=2.0)), (12.0, counted(90, epoch=2.0))
    assert seen(*until, after[0]) == (None, 120, True)
    assert seen(*until, *after) == (None, 160, True)


def test_tokens_seen_outlast_what_clears_the_rates() -> None:
    """A reading that does not count leaves them, and what was made meanwhile is not in them."""
    keeper = kept((0.0, counted(100)), (4.0, counted(140)))
    keeper.clear()
    assert keeper.rates().generation_tokens_per_s is None
    assert keeper.rates().tokens_seen == (None, 40, False)
    keeper.add(counted(500), 12.0)
    keeper.add(counted(510), 16.0)
    assert keeper.rates().tokens_seen == (None, 50, True)


def test_tokens_seen_in_slots_are_a_lower_bound_once_one_got_away() -> None:
    """A task that ended between two polls made tokens that no poll shows; that stays true."""
    keeper = kept((0.0, slots(("/0/7", 100))), (4.0, slots(("/0/7", 140))))
    assert keeper.rates().tokens_seen == (0, 40, False)
    for now, task in ((8.0, ("/0/9", 10)), (80.0, ("/0/9", 20)), (160.0, ("/0/9", 30))):
        keeper.add(slots(task), now)
    assert keeper.rates().tokens_seen == (0, 70, True)
    assert not keeper.rates().at_least


def test_the_minute_is_counted() -> None:
    """`window` holds the last minute's gains, not the hour's."""
    keeper = RateTracker()
    for step in range(100):
        keeper.add(counted(0, stop=step, abort=2 * step), 4.0 * step)
    window = keeper.rates().window
    assert window.stop == LATENCY_WINDOW_S / 4
    assert window.abort == 2 * LATENCY_WINDOW_S / 4


def test_a_histogram_that_appears_counts_from_there() -> None:
    """Latencies need not wait a minute where the series came with the first request."""

    def seen(count: float | None) -> EngineReading:
        found = () if count is None else (Histogram(((1.0, count), (math.inf, count))),)
        return EngineReading("vllm", latencies=Histograms(ttft=found))

    keeper = kept((0.0, seen(None)), (4.0, seen(5)), (8.0, seen(8)))
    (ttft,) = keeper.rates().latencies.ttft
    assert ttft.buckets[-1][1] == 3


def slots(*tasks: tuple[str, int]) -> EngineReading:
    return EngineReading("llamacpp", slots=tuple(SlotProgress(*task) for task in tasks))


def test_slots_tell_tokens_by_task() -> None:
    """A task's own progress counts; a new task counts from its start; the old one's data do not."""
    keeper = kept((0.0, slots(("/0/7", 100), ("/1/", 0))))
    keeper.add(slots(("/0/7", 140), ("/1/8", 20)), 4.0)
    assert keeper.rates().generation_tokens_per_s == 15.0
    keeper.add(slots(("/0/9", 10), ("/1/8", 20)), 8.0)
    assert keeper.rates().generation_tokens_per_s == pytest.approx(70 / 8)


def test_short_tasks_make_the_rate_a_lower_bound() -> None:
    """Whole tasks may come and go between two looks at a slot; the rate then says `at least`."""
    keeper = kept((0.0, slots(("/0/7", 100))), (4.0, slots(("/0/7", 140))))
    assert not keeper.rates().at_least
    keeper.add(slots(("/0/9", 10)), 8.0)
    assert keeper.rates().at_least
    for now in (12.0, 16.0, 20.0):
        keeper.add(slots(("/0/9", 20)), now)
    assert not keeper.rates().at_least


def test_idle_slots_are_a_known_zero() -> None:
    """An idle slot keeps its last task's figures; that is no work."""
    idle = slots(("/0/7", 100), ("/1/8", 50))
    assert tokens_per_s((0.0, idle), (4.0, idle)) == 0.0


def test_a_slot_seen_for_the_first_time_is_a_baseline() -> None:
    """Slots that come late (another model, a runner that was mute) bring no burst."""
    keeper = kept((0.0, slots(("a/0/1", 10))), (4.0, slots(("a/0/1", 10), ("b/0/5", 9000))))
    assert keeper.rates().generation_tokens_per_s == 0.0


def test_a_slot_that_was_not_seen_for_a_while_goes_on() -> None:
    """A runner that missed one poll is measured against its last word, not from nothing."""
    both, one = slots(("a/0/1", 10), ("b/0/5", 9000)), slots(("a/0/1", 10))
    keeper = kept((0.0, both), (4.0, one), (8.0, slots(("a/0/1", 10), ("b/0/5", 9080))))
    assert keeper.rates().generation_tokens_per_s == 10.0


def test_a_restarted_slot_server_is_no_negative_rate() -> None:
    """Task numbers that begin anew with fewer tokens lower nothing."""
    assert tokens_per_s((0.0, slots(("/0/1", 900))), (4.0, slots(("/0/1", 3)))) == 0.0


READINGS = st.lists(
    st.tuples(
        st.floats(-1e6, 1e6),
        st.one_of(st.none(), st.floats(0, 1e12)),
        st.one_of(st.none(), st.sampled_from([1.0, 2.0])),
    ),
    max_size=30,
)


@given(READINGS)
def test_never_negative_and_never_beyond_what_was_counted(
    steps: list[tuple[float, float | None, float | None]],
) -> None:
    """Whatever clock and counters do, a rate is a real gain over a real time."""
    keeper = RateTracker()
    before: float | None = None
    for at, tokens, epoch in steps:
        keeper.add(counted(tokens, epoch=epoch), at)
        rate = keeper.rates().generation_tokens_per_s
        assert rate is None or (rate >= 0 and tokens is not None and math.isfinite(rate))
        if before is not None and tokens is not None and tokens < before:
            assert rate is None
        before = tokens


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=40), st.floats(0.5, 20.0))
def test_memory_is_the_window(gains: list[int], every_s: float) -> None:
    """However long it runs, only about a minute of readings is kept."""
    keeper, total = RateTracker(), 0
    for step, gain in enumerate(gains):
        total += gain
        keeper.add(counted(total, requests=step), step * every_s)
    requests = keeper.rates().window.requests
    assert requests is not None
    assert requests * every_s <= LATENCY_WINDOW_S + every_s + 1e-6


def test_a_restart_behind_a_reading_that_left_the_counter_out() -> None:
    """What was last told of a counter counts, however many readings ago."""
    assert tokens_per_s((0.0, counted(900.0)), (4.0, counted(None)), (8.0, counted(3.0))) is None
