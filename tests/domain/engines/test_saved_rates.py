"""A rate tracker on disk: what comes back measures as before, and damage never raises."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.verdict.sequences import readings
from tokentop.domain.engines.rates import RateTracker
from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.engines.saved_rates import dump, restore

polls = st.lists(
    st.tuples(st.sampled_from((0.5, 4.0, 30.0, 130.0)), readings(8000)), min_size=1, max_size=8
)
junk: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def tracked(history: list[tuple[float, EngineReading]]) -> tuple[RateTracker, float]:
    tracker, now = RateTracker(), 1000.0
    for pause, reading in history:
        now += pause
        tracker.add(reading, now)
    return tracker, now


@given(polls, readings(8000))
def test_the_next_reading_measures_the_same(
    history: list[tuple[float, EngineReading]], last: EngineReading
) -> None:
    """Through JSON and back, whatever was counted before."""
    tracker, now = tracked(history)
    saved = json.loads(json.dumps(dump(tracker), allow_nan=False))
    again = restore(saved, now)
    assert again.rates() == tracker.rates()
    for each in (tracker, again):
        each.add(last, now + 4.0)
    assert again.rates() == tracker.rates()


@given(polls, st.data())
def test_damage_never_raises(
    history: list[tuple[float, EngineReading]], data: st.DataObject
) -> None:
    """Any part of the file may be anything: then it is of no use, and counting goes on."""
    tracker, now = tracked(history)
    saved = json.loads(json.dumps(dump(tracker)))
    place: Any = saved
    while isinstance(place, list | dict) and place:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], list | dict) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(junk)
            break
        place = place[key]
    again = restore(saved, now)
    again.add(history[-1][1], now + 4.0)
    rates = again.rates()
    assert rates.generation_tokens_per_s is None or rates.generation_tokens_per_s >= 0
