"""Engines that have reserved their VRAM: VRAM says nothing about load there."""

import pytest

from tests.domain.verdict.observed import REFUSED, TIMEOUT, engine
from tokentop.domain.engines.aggregate import summarize
from tokentop.domain.readings import Failure


@pytest.mark.parametrize(
    ("changes", "state", "reserving"),
    [
        ({}, "online", True),
        ({"health": "asleep"}, "asleep", True),
        ({"health": "no-metrics"}, "no-metrics", True),
        ({"outcome": TIMEOUT, "age_s": 30.0}, "stale", True),
        ({"outcome": TIMEOUT, "age_s": 30.0, "backing_off": True}, "backing-off", True),
        ({"outcome": TIMEOUT, "age_s": 90.0}, "offline", False),
        ({"outcome": REFUSED}, "gone", False),
        ({"outcome": Failure("auth", "401")}, "auth-required", False),
        ({"health": "starting"}, "starting", False),
        ({"health": "names-only"}, "names-only", False),
        ({"reading": None}, "stale", False),
    ],
)
def test_which_states_have_reserved_vram(
    changes: dict[str, object], state: str, reserving: bool
) -> None:
    one = engine(**changes)
    assert one.state == state
    assert summarize((one,), (), "box").reports is reserving
