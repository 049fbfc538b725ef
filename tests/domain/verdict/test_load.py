"""How full one model's pool is, which pool is the whole's, and the reasons."""

from typing import Any

import pytest

from tests.domain.verdict.observed import engine, judged
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import Counters
from tokentop.domain.fold.fold import FoldInput, fold_with_memory
from tokentop.domain.policy import Policy, TierPolicy
from tokentop.domain.verdict.check import alarm, exit_code


def gained(**counts: float) -> Rates:
    return Rates(window=Counters(**counts))


@pytest.mark.parametrize(
    ("figures", "tier", "utilization"),
    [
        ({"active": 0, "queued": 0, "max_slots": 8}, "idle", 0.0),
        ({"active": 2, "queued": 0, "max_slots": 8}, "low", 0.2),
        ({"active": 8, "queued": 0, "max_slots": 8}, "surge", 0.8),
        ({"active": 8, "queued": 4, "max_slots": 8}, "surge", 0.9),
        ({"active": 8, "queued": 8, "max_slots": 8}, "saturated", 1.0),
        ({"active": 1, "queued": 8, "max_slots": 8}, "saturated", 0.3),
        ({"active": 1, "queued": 1, "max_slots": 64}, "high", 0.015625),
        ({"active": 4, "queued": 8}, "surge", 0.8),
        ({"active": 4, "queued": 8, "kv_cache": 0.9}, "surge", 0.9),
        ({"active": 4, "queued": 0, "kv_cache": 0.97}, "saturated", 0.97),
        ({"active": 4, "queued": 0, "kv_cache": 0.02}, "low", 0.02),
        ({"active": 0, "queued": 0, "kv_cache": 0.02}, "idle", 0.02),
        ({"active": 4, "queued": 0}, None, None),
        ({}, None, None),
    ],
)
def test_the_serving_formula_over_what_is_known(
    figures: dict[str, Any], tier: str | None, utilization: float | None
) -> None:
    """Waiting requests are never idle, low or moderate; a queue of unknown slots is surge."""
    demand = judged(engine(**figures)).demand
    assert demand.tier == tier
    assert demand.utilization == pytest.approx(utilization)


def test_an_unknown_number_of_slots_makes_a_lower_bound() -> None:
    """It is marked, in the pool and in the whole."""
    demand = judged(engine(active=4, queued=8)).demand
    assert demand.at_least
    assert demand.pools[0].at_least
    assert not judged(engine(active=4, queued=0, kv_cache=0.5)).demand.at_least


def test_one_models_room_does_not_serve_anothers_requests() -> None:
    """The fullest pool is the whole's; a full model does not hide behind an idle one."""
    demand = judged(
        engine(8000, "big", active=8, queued=8, max_slots=8),
        engine(8001, "small", active=0, queued=0, max_slots=64),
    ).demand
    assert (demand.tier, demand.utilization) == ("saturated", 1.0)
    assert {pool.model: pool.tier for pool in demand.pools} == {"big": "saturated", "small": "idle"}
    assert demand.headline == "Full: 8 requests wait for big"


def test_two_engines_of_one_model_share_its_requests() -> None:
    """Slots and queues are added, the KV cache is the fullest."""
    (pool,) = judged(
        engine(8000, active=4, queued=0, max_slots=8, kv_cache=0.3),
        engine(8001, active=2, queued=0, max_slots=4, kv_cache=0.5),
    ).demand.pools
    assert (pool.active, pool.max_slots, pool.free, pool.kv_cache) == (6, 12, 6, 0.5)


@pytest.mark.parametrize(
    ("queued", "slots", "source", "words"),
    [
        (6, 12, "reported", "6 wait on 127.0.0.1:8000 while 4 slots are free on 127.0.0.1:8080"),
        (6, 12, "derived", "6 wait on 127.0.0.1:8000 while ≈4 slots are free on 127.0.0.1:8080"),
        (1, 9, "reported", "1 waits on 127.0.0.1:8000 while 1 slot is free on 127.0.0.1:8080"),
    ],
)
def test_waiting_beside_free_slots_is_unbalanced(
    queued: int, slots: int, source: str, words: str
) -> None:
    """At least high, and the reason says where."""
    snapshot = judged(
        engine(8000, active=2, queued=queued, max_slots=2),
        engine(8080, active=8, queued=0, max_slots=slots, slots_source=source),
    )
    (reason,) = [one for one in snapshot.demand.reasons if one.code == "unbalanced"]
    assert reason.text == words
    assert snapshot.demand.tier == "high"


@pytest.mark.parametrize(
    ("figures", "tier", "code"),
    [
        ({"rates": gained(rejections=1.0), "active": 0, "max_slots": 8}, "saturated", "rejections"),
        ({"back_pressure": True, "active": 0, "max_slots": 8}, "saturated", "back_pressure"),
        ({"rates": gained(preemptions=1.0), "active": 0, "max_slots": 8}, "idle", "preemptions"),
        ({"rates": gained(preemptions=1.0), "kv_cache": 0.65}, "high", "preemptions"),
        ({"rates": gained(preemptions=9.0), "kv_cache": 0.92}, "surge", "kv_full"),
        ({"rates": gained(preemptions=1.0), "active": 1, "queued": 1, "max_slots": 64},
         "surge", "queue_waiting"),
    ],
)  # fmt: skip
def test_full_means_that_requests_wait_or_are_refused(
    figures: dict[str, Any], tier: str, code: str
) -> None:
    """A preemption alone lifts by one step at most, and only where memory is short."""
    demand = judged(engine(**figures)).demand
    assert demand.tier == tier
    assert code in {reason.code for reason in demand.reasons} | {"kv_full"}


def test_reasons_are_named_most_important_first() -> None:
    """The whole queue before the slots, and a member where it is one engine's."""
    reasons = judged(engine(active=8, queued=9, max_slots=8, kv_cache=0.96)).demand.reasons
    assert [one.code for one in reasons] == [
        "queue_full",
        "kv_full",
        "slots_full",
        "queue_waiting",
    ]
    assert {one.member for one in reasons} == {"vllm@127.0.0.1:8000"}
    assert reasons[0].text == "9 requests wait for Qwen3-32B, which has 8 slots"


def test_thresholds_are_the_users() -> None:
    """Full from 0.5 on, where the file says so."""
    strict = Policy(tiers=TierPolicy(0.1, 0.2, 0.3, 0.4, 0.5))
    busy = engine(active=6, queued=0, max_slots=8)
    assert (judged(busy).demand.tier, judged(busy, policy=strict).demand.tier) == (
        "high",
        "saturated",
    )


@pytest.mark.parametrize(
    ("figures", "words", "line", "code"),
    [
        ({"active": 13, "queued": 0, "max_slots": 64}, "Room for 51 more requests", "", 0),
        ({"active": 7, "queued": 0, "max_slots": 8}, "Busy, room for 1 more request", "", 0),
        (
            {"active": 8, "queued": 0, "max_slots": 8},
            "Nearly full: all 8 slots of Qwen3-32B are busy",
            "SURGE Qwen3-32B 8/8",
            1,
        ),
        (
            {"active": 1, "queued": None, "max_slots": 1},
            "Nearly full: the only slot of Qwen3-32B is busy",
            "SURGE Qwen3-32B 1/1",
            1,
        ),
        (
            {"active": 64, "queued": 41, "max_slots": 64},
            "Busy: 41 requests wait for Qwen3-32B",
            "SURGE Qwen3-32B 64/64 +41",
            1,
        ),
        (
            {"active": 64, "queued": 64, "max_slots": 64},
            "Full: 64 requests wait for Qwen3-32B",
            "FULL Qwen3-32B 64/64 +64",
            2,
        ),
        (
            {"active": 3, "back_pressure": True},
            "Full: Qwen3-32B takes no more requests",
            "FULL Qwen3-32B",
            2,
        ),
        ({"active": 4, "queued": 0}, "4 requests running; how many fit is unknown", "", 0),
        ({"active": 0, "queued": 0}, "No request is running", "", 0),
        ({}, "Its load is unknown", "", 0),
        ({"kv_cache": 0.2}, "Room for more requests", "", 0),
    ],
)
def test_the_headline_speaks_of_room(
    figures: dict[str, Any], words: str, line: str, code: int
) -> None:
    """Neither of costs nor of free, on a box without the stack and without a price."""
    snapshot = judged(engine(**figures))
    assert snapshot.demand.headline == words
    assert (alarm(snapshot), exit_code(snapshot)) == (line, code)


def test_no_room_is_promised_where_no_slot_is_free() -> None:
    """Thresholds that call full slots idle do not make them free."""
    odd = Policy(tiers=TierPolicy(0.9, 0.91, 0.92, 0.93, 0.94))
    demand = judged(engine(active=8, queued=0, max_slots=8), policy=odd).demand
    assert (demand.tier, demand.headline) == ("idle", "Busy: no slot is free")


def test_the_memory_of_one_verdict_holds_the_next() -> None:
    """Busy, then calm: the tier comes down after the second calm poll."""
    before: Any = {}
    tiers = []
    for poll, active in enumerate((7, 0, 0)):
        given = FoldInput(
            now=poll * 4.0,
            interval_s=4.0,
            engines=(engine(active=active, queued=0, max_slots=8),),
            before=before,
        )
        snapshot, before = fold_with_memory(given)
        tiers.append(snapshot.demand.tier)
    assert tiers == ["high", "high", "idle"]
