"""The frozen demo is one moment, whichever view shows it."""

import json
from time import monotonic

import pytest

from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.runtime.live.session import Session
from tokentop.runtime.oneshot.refresh import Refresher
from tokentop.views.json import dumps


def frozen(at_s: float) -> Config:
    config = load({}, {}, None)
    return config._replace(demo=config.demo._replace(enabled=True, at_s=at_s))


def comparable(text: str) -> dict[str, object]:
    """The object without latencies, which the screen smooths."""
    value = json.loads(text)
    for service in value["services"]:
        del service["latency_ms"]
    return dict(value)


@pytest.mark.parametrize("at_s", [0.0, 8.0, 62.0, 66.0, 84.0, 100.0, 128.0, 150.0, 300.0])
def test_the_one_shot_and_the_screen_show_the_same_moment(at_s: float) -> None:
    """Clock, ages, breakers, streams, countdown: key for key the same."""
    config = frozen(at_s)
    refresher = Refresher(config)
    try:
        once = dumps(refresher.refresh(monotonic() + 5.0))
    finally:
        refresher.stop()
    screen = Session(config, lambda *_: None)
    assert comparable(once) == comparable(dumps(screen.snapshot()))
