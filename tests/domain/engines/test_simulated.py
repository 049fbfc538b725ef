"""Rates and totals against servers whose true tokens are known: gaps, restarts, replicas, bursts.

Each server is simulated token by token; what is expected is computed from that truth, never by
reading counters.
"""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokentop.domain.engines.rates import RateTracker
from tokentop.domain.engines.readings import CounterSets, EngineReading

SEEDS = range(40)
POLLS = 90
ROUNDING = 1 + 1e-9


def reading(tokens: dict[str, float], epoch: float | None = None) -> EngineReading:
    """A page with these label sets of one counter."""
    sets = CounterSets(generation_tokens=tuple(sorted(tokens.items())))
    return EngineReading("vllm", sets=sets, counters=sets.totals(), epoch=epoch)


class Step(NamedTuple):
    """What happens to one label set until the next poll, and whether that shows it."""

    made: int
    shown: bool = True
    began_anew: bool = False


steps = st.builds(Step, st.integers(0, 900), st.booleans(), st.sampled_from((False,) * 9 + (True,)))
histories = st.lists(
    st.tuples(st.sampled_from((1.0, 4.0, 9.0)), st.lists(steps, min_size=3, max_size=3)),
    min_size=1,
    max_size=30,
)


@given(histories, st.booleans())
@settings(max_examples=80)
def test_tokens_seen_are_what_was_made_between_two_sights_of_a_label_set(
    history: list[tuple[float, list[Step]]], whole_server: bool
) -> None:
    """Set by set: not what was there at first, not what a restart hides, and nothing twice.

    A restart is of one label set, or of the whole server, which then has another start time.
    """
    tracker, now, epoch, expected = RateTracker(), 0.0, 1.0, 0
    values = dict.fromkeys("abc", 1_000_000)
    unseen: dict[str, int | None] = dict.fromkeys("abc")  # made since it was last shown
    for pause, each in history:
        now += pause
        restart = whole_server and any(step.began_anew for step in each)
        epoch += restart
        shown: dict[str, float] = {}
        for name, step in zip("abc", each, strict=True):
            # Without a start time a restart shows only by a counter that falls.
            if restart or (step.began_anew and values[name] >= 1_000_000):
                values[name], unseen[name] = 0, None
            values[name] += step.made
            made = unseen[name]
            unseen[name] = None if made is None else made + step.made
            if step.shown:
                expected += unseen[name] or 0
                shown[name], unseen[name] = values[name], 0
        tracker.add(reading(shown, epoch if whole_server else None), now)
    seen = tracker.rates().tokens_seen
    assert (seen.generated if seen is not None else 0) == expected


class Series(NamedTuple):
    """One label set of a steady server."""

    name: str
    per_s: float
    born: float
    history: float


def steady(random: Random) -> list[Series]:
    """Three label sets from the start, and four that appear later with a history of their own."""
    names = iter("abcdefg")
    first = [Series(next(names), random.uniform(10, 200), -1.0, 1e6) for _ in range(3)]
    later = [
        Series(
            next(names), random.uniform(10, 200), random.uniform(20, 300), random.uniform(0, 1e6)
        )
        for _ in range(4)
    ]
    return first + later


def moments(random: Random) -> Iterator[float]:
    """A poll about every four seconds, and now and then a silence of up to a minute."""
    now = 0.0
    for _ in range(POLLS):
        yield now
        now += random.uniform(15, 60) if random.random() < 0.03 else random.uniform(3.2, 4.8)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rate_lies_between_the_true_ones_of_its_window(seed: int) -> None:
    """Label sets that skip scrapes, and new ones with a million tokens behind them."""
    random, tracker = Random(seed), RateTracker()
    series, polls = steady(random), list(moments(random))
    shown: list[set[str]] = []
    for now in polls:
        there = [each for each in series if each.born <= now and random.random() > 0.1]
        shown.append({each.name for each in there})
        tracker.add(reading({e.name: e.history + e.per_s * now for e in there}), now)
        rate = tracker.rates().generation_tokens_per_s
        low = sum(each.per_s for each in series if is_steady(each.name, shown))
        high = sum(each.per_s for each in series if sum(each.name in names for names in shown) > 1)
        if rate is not None:
            assert low / ROUNDING <= rate <= high * ROUNDING
    assert tracker.rates().generation_tokens_per_s is not None


def is_steady(name: str, shown: list[set[str]]) -> bool:
    """Whether a label set missed no two polls of the last ten, which are two windows at least."""
    recent = shown[-10:]
    return len(recent) == 10 and all(name in a or name in b for a, b in pairwise(recent))


@pytest.mark.parametrize("epochs", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_never_makes_tokens(seed: int, epochs: bool) -> None:
    """No rate above the true one, no total above the true total, and both go on afterwards.

    A server without a start time is seen to be gone by a poll, or restarts once in two minutes.
    """
    random, tracker = Random(seed), RateTracker()
    since, epoch, total, last, per_s = -900.0, 0.0, 300_000.0, 0.0, random.uniform(50, 150)
    for now in moments(random):
        if now > 20 and random.random() < 0.04:
            if not epochs and (now - since < 120 or random.random() < 0.5):
                tracker.process_ended()
            since, epoch, total = random.uniform(last, now), epoch + 1, 0.0
        value = total + per_s * (now - since)
        tracker.add(reading({"": value}, epoch if epochs else None), now)
        rates = tracker.rates()
        seen, rate = rates.tokens_seen, rates.generation_tokens_per_s
        assert rate is None or rate <= per_s * ROUNDING
        assert not rates.several
        assert seen is None or (seen.generated or 0) <= per_s * now + 1
        last = now
    assert seen is not None
    assert (seen.generated or 0) > 0.7 * per_s * now


@pytest.mark.parametrize("epochs", [True, False])
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("seed", SEEDS)
def test_several_processes_behind_one_address_tell_no_rate(
    seed: int, count: int, epochs: bool
) -> None:
    """By start times never a false one; by totals none after the first that came back.

    Until then one process that goes on from another's total cannot be told from one that is fast.
    """
    random, tracker = Random(seed), RateTracker()
    speeds = [random.uniform(0, 100) for _ in range(count)]
    starts = [random.uniform(1e3, 1e6) for _ in range(count)]
    several: list[bool] = []
    for now in moments(random):
        one = random.randrange(count)
        value = starts[one] + speeds[one] * now
        tracker.add(reading({"": value}, float(one) if epochs else None), now)
        rates = tracker.rates()
        several.append(rates.several)
        if epochs or any(several):
            rate = rates.generation_tokens_per_s
            assert rate is None or rate <= sum(speeds) * ROUNDING
    assert any(several[:20])
    assert sum(several[20:]) > 0.95 * len(several[20:])


def test_bursts_are_counted_to_the_token() -> None:
    """4 s of 500 tokens/s each minute: 2,000 a minute, however polls fall on them."""
    for every in (1.0, 4.0, 7.3, 20.0):
        tracker, now = RateTracker(), 0.0
        while now <= 600.0:
            value = 9e5 + 2000.0 * (now // 60) + 500.0 * min(4.0, now % 60)
            tracker.add(reading({"": value}), now)
            now += every
        last = now - every
        made = 2000 * (last // 60) + 500 * min(4.0, last % 60)
        assert tracker.rates().tokens_seen == (None, round(made), False)
