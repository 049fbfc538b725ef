"""The frozen demo is one moment, whichever view shows it."""

import json
from time import monotonic

import pytest

from tests.runtime.live.conftest import Tasks
from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.live.session import Session
from tokentop.runtime.oneshot.refresh import Refresher


def frozen(part: str, at_s: float) -> Config:
    demo = {"demo.enabled": True, "demo.part": part, "demo.at_s": at_s}
    every = {"interval": 10.0} if part == "fleet" else {}  # a poll of a fleet takes 30 ms
    return load({**demo, **every}, {}, None)


def comparable(text: str) -> dict[str, object]:
    """The object without what only the screen has.

    These are smoothed latencies, alerts over time, and a ledger, for which hours are booked.
    """
    value = json.loads(text) | {"alerts": [], "ledger": None}
    for service in value["services"]:
        del service["latency_ms"]
    for engine in value["engines"]:
        del engine["latency_ms"]
    return dict(value)


MOMENTS = (
    *(("stack", at_s) for at_s in (62.0, 84.0, 300.0)),
    *(("whole", at_s) for at_s in (0.0, 114.0, 130.0)),
    *(("engines", at_s) for at_s in (2.0, 106.0)),
    ("fleet", 90.0),
    ("gpus", 20.0),
)


async def test_a_demo_that_begins_now_has_the_costs_of_its_load() -> None:
    """What an hour costs by the tokens of an hour, although nothing was measured a moment ago."""
    config = load({"demo.enabled": True, "demo.part": "engines", "ui.state": False}, {}, None)
    session, tasks = Session(config, lambda *_: None), Tasks()
    session.snapshot()  # the screen's first picture
    await session.start(tasks)
    await tasks.cancel()
    found = session.snapshot()
    rate = found.throughput.generation_tokens_per_s
    assert rate
    assert found.cost.usd_per_hour
    usual = found.cost.usd_per_hour / (rate * 3600) * 1e6
    assert found.cost.usd_per_mtok_reserved == pytest.approx(usual, rel=0.5)


@pytest.mark.parametrize(("part", "at_s"), MOMENTS)
def test_the_one_shot_and_the_screen_show_the_same_moment(part: str, at_s: float) -> None:
    """Clock, ages, breakers, rates, costs, countdown: key for key the same."""
    config = frozen(part, at_s)
    refresher = Refresher(config)
    try:
        once = dumps(refresher.refresh(monotonic() + 5.0))
    finally:
        refresher.stop()
    screen = Session(config, lambda *_: None)
    assert comparable(once) == comparable(dumps(screen.snapshot()))
    screen.stop()
