"""The sentences behind a verdict: each code with its words, the most important first."""

from typing import Any

import pytest

from tests.domain.verdict.observed import NOON, REFUSED, engine, judged, unread
from tokentop.domain.policy import TierPolicy
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Service
from tokentop.domain.verdict.check import alarm
from tokentop.domain.verdict.load import Load, reasons_of
from tokentop.domain.verdict.members import engine_members
from tokentop.domain.verdict.stack import StackLoad, service_members, stack_down, stack_reasons
from tokentop.domain.verdict.values import Clock, Member

CLOCK = Clock(now=1000.0, wall=NOON)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, []),
        ({"active": 3, "in_slots": 3, "max_slots": 8, "queued": 0}, []),
        (
            {"active": 8, "in_slots": 8, "max_slots": 8, "queued": 1},
            [
                ("slots_full", "all 8 slots of Q are busy"),
                ("queue_waiting", "1 request waits for Q"),
            ],
        ),
        (
            {"active": 8, "in_slots": 8, "max_slots": 8, "queued": 8},
            [
                ("queue_full", "8 requests wait for Q, which has 8 slots"),
                ("slots_full", "all 8 slots of Q are busy"),
                ("queue_waiting", "8 requests wait for Q"),
            ],
        ),
        ({"queued": 2}, [("queue_waiting", "2 requests wait for Q")]),
        ({"rejected": True}, [("rejections", "Q refused requests within the last minute")]),
        ({"back_pressure": True}, [("back_pressure", "Q reports that its queue is full")]),
        ({"kv_cache": 0.95}, []),
        ({"kv_cache": 0.97}, [("kv_full", "the KV cache of Q is 97% full")]),
        ({"unbalanced": "a waits, b is free"}, [("unbalanced", "a waits, b is free")]),
        (
            {"preempted": True},
            [("preemptions", "Q set back running requests, its memory is full")],
        ),
    ],
)
def test_why_a_pool_is_full(figures: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = list(reasons_of(Load("Q")._replace(**figures), "vllm@a:1"))
    assert [(reason.code, reason.text) for reason in found] == expected
    assert {reason.member for reason in found} <= {"vllm@a:1"}


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, []),
        (
            {"active": 4, "max_slots": 4, "queued": 1},
            [("slots_full", "all 4 slots are busy"), ("queue_waiting", "1 request waits")],
        ),
        (
            {"active": 4, "max_slots": 4, "queued": 4},
            [
                ("queue_full", "4 requests wait, and there are 4 slots"),
                ("slots_full", "all 4 slots are busy"),
                ("queue_waiting", "4 requests wait"),
            ],
        ),
        ({"reporters": ("genesis",)}, [("back_pressure", "genesis reports back-pressure")]),
        ({"pressure": 0.8}, [("acta", "ACTA puts demand at 80%")]),
        ({"vram": 0.95}, []),
        ({"vram": 0.96}, [("vram_full", "VRAM is 96% full")]),
        ({"profile": "serving", "vram": 0.96}, []),
        ({"profile": "serving", "kv_cache": 0.96}, [("kv_full", "the KV cache is 96% full")]),
        ({"kv_cache": 0.96}, []),
        (
            {"stale": True},
            [("stale_data", "the figures are old: their sources do not answer")],
        ),
    ],
)
def test_why_the_stack_is_full(figures: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = stack_reasons(StackLoad("stack")._replace(**figures), TierPolicy())
    assert [(reason.code, reason.text) for reason in found] == expected


@pytest.mark.parametrize(
    ("standings", "text"),
    [
        (("down", "down"), "The stack is down: none of its services answers"),
        (("serving", "down", "down"), "The stack is down: 1 of its 3 services answer"),
    ],
)
def test_how_many_of_the_stack_answer(standings: tuple[Any, ...], text: str) -> None:
    assert stack_down([Member("x", "stack", each) for each in standings]).text == text


@pytest.mark.parametrize(
    ("changes", "standing", "text"),
    [
        ({"state": "online"}, "serving", None),
        ({"state": "offline"}, "down", "mint is down: it does not answer"),
        ({"state": "offline", "error": "no route"}, "down", "mint is down: no route"),
        ({"state": "stale", "age_s": 60.0}, "degraded", "mint: stale"),
        ({"state": "stale", "age_s": 60.5}, "down", "mint is down: it does not answer"),
        ({"state": "backing-off"}, "down", "mint is down: it does not answer"),
        ({"state": "bad-data", "error": "no JSON"}, "degraded", "mint: no JSON"),
    ],
)
def test_the_standing_of_a_service(
    changes: dict[str, Any], standing: str, text: str | None
) -> None:
    (member,) = service_members([Service("mint", "aither", member=True)._replace(**changes)])
    assert (member.standing, member.reason and member.reason.text) == (standing, text)


@pytest.mark.parametrize(
    ("changes", "standing", "text"),
    [
        ({}, "serving", None),
        ({"health": "asleep"}, "serving", None),
        ({"health": "names-only"}, "serving", None),
        ({"health": "no-metrics"}, "degraded", "Q (127.0.0.1:8000) has its statistics disabled"),
        ({"health": "auth-required"}, "degraded", "Q (127.0.0.1:8000) wants an API key"),
        (
            {"outcome": Failure("bad-data", "no series")},
            "degraded",
            "Q (127.0.0.1:8000) answers nothing usable",
        ),
        (
            {"outcome": Failure("timeout", "slow"), "age_s": 40.0},
            "degraded",
            "Q (127.0.0.1:8000) has not answered for 40s",
        ),
        ({"pids": (7,)}, "degraded", "Q (127.0.0.1:8000) runs on a GPU that is lost"),
        (
            {"bad": ("kv_cache",)},
            "degraded",
            "Q (127.0.0.1:8000) unusable values in kv_cache",
        ),
        (
            {"outcome": REFUSED, "starting": True, "unserved_since": 400.0},
            "starting",
            "Q is starting: the model is being loaded",
        ),
        (
            {"outcome": REFUSED, "starting": True, "unserved_since": 399.0},
            "down",
            "Q is down: it has been starting for 10m",
        ),
        (
            {"outcome": REFUSED, "unserved_since": 880.0},
            "down",
            "Q is down: nothing listens on 127.0.0.1:8000 (since 11:58)",
        ),
    ],
)
def test_the_standing_of_an_engine(
    changes: dict[str, Any], standing: str, text: str | None
) -> None:
    (member,) = engine_members([engine(8000, "Q", **changes)], frozenset((7,)), CLOCK)
    assert (member.standing, member.reason and member.reason.text) == (standing, text)


def test_a_configured_engine_that_never_answered() -> None:
    """In the words of its failure."""
    silent = unread(outcome=Failure("timeout", "no complete answer within 2.5 s"))
    (member,) = engine_members([silent], frozenset(), CLOCK)
    assert (member.standing, member.pool) == ("down", "127.0.0.1:8000")
    assert member.reason is not None
    assert member.reason.text == "127.0.0.1:8000 is down: no complete answer within 2.5 s"


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (({"health": "no-metrics"},), "Its load is unknown"),  # degraded: it may serve all the same
        (({"health": "names-only"},), "Its load is unknown"),
        (({"outcome": REFUSED},), "No engine is serving here"),
        (({"active": 1}, {"active": 3}), "B: 3 requests running; how many fit is unknown"),
        (({"active": 1}, {"active": 0}), "A: 1 request running; how many fit is unknown"),
    ],
)
def test_the_message_where_no_pool_has_a_tier(
    states: tuple[dict[str, Any], ...], message: str
) -> None:
    """It is about the busiest pool that serves."""
    engines = [engine(8000 + n, "AB"[n], **state) for n, state in enumerate(states)]
    assert judged(*engines).demand.message == message


def test_of_two_pools_in_one_tier_the_fuller_is_the_wholes() -> None:
    half = engine(8000, "A", active=4, queued=0, max_slots=8)
    fuller = engine(8001, "B", active=5, queued=0, max_slots=8)
    for engines in ((half, fuller), (fuller, half)):
        demand = judged(*engines).demand
        assert (demand.tier, demand.utilization) == ("moderate", 0.5)


def test_a_routers_load_is_not_the_demand_of_its_engines() -> None:
    """Its traffic is theirs; alone it is all there is."""
    router = engine(4000, "proxy", kind="litellm", router=True, active=8, queued=8, max_slots=8)
    behind = engine(8000, "A", active=1, queued=0, max_slots=8)
    assert judged(router, behind).demand.tier == "low"
    assert judged(router).demand.tier == "saturated"


@pytest.mark.parametrize(
    ("engines", "words"),
    [
        ((engine(outcome=REFUSED),), "DOWN Qwen3-32B"),
        (
            tuple(engine(8000 + n, "ABC"[n], outcome=REFUSED) for n in range(3)),
            "DOWN A +2",
        ),
        ((engine(8000, "A"), engine(8001, "B", outcome=REFUSED)), "DOWN B"),
    ],
)
def test_the_alarm_names_the_first_model_and_how_many_more(
    engines: tuple[Any, ...], words: str
) -> None:
    assert alarm(judged(*engines)) == words
