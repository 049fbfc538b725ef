"""What must be true of every picture, whatever the engines and the stack said before it."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.verdict.sequences import (
    Poll,
    as_heard,
    as_one_shots,
    as_the_app,
    gaps,
    sequences,
    timed,
)
from tests.views.draw.composed import composed, model, text
from tokentop.domain.presence import presence
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Latencies
from tokentop.domain.snapshot_json import dumps
from tokentop.domain.verdict.check import alarm, exit_code
from tokentop.views.line import line
from tokentop.views.palette import tier_theme

EXAMPLES = 25
LIVE = ("active", "queued", "max_slots", "kv_cache", "prompt_tokens_per_s",
        "generation_tokens_per_s", "requests_per_s", "ttft_s", "ttft_p95_s", "itl_s",
        "itl_p95_s", "prefix_hit_ratio", "burn")  # fmt: skip

MEASURED = (*LIVE, "latencies", "tokens_seen", "rate_at_least", "back_pressure", "error")

every_sequence = settings(max_examples=EXAMPLES)
Sequence = tuple[list[Poll], list[float], bool]
cases = st.tuples(sequences, gaps, st.booleans())


def pictures(case: Sequence) -> list[Snapshot]:
    sequence, pauses, stack = case
    return as_the_app(as_heard(timed(sequence, pauses), stack=stack), stack=stack)


@given(cases)
@every_sequence
def test_waiting_requests_are_never_idle(case: Sequence) -> None:
    """1. Requests wait: the tier is high at least, in every pool and in the whole."""
    for snapshot in pictures(case):
        demand = snapshot.demand
        for pool in demand.pools:
            if pool.queued and pool.tier is not None:
                assert pool.tier in ("high", "surge", "saturated")
        if any(pool.queued and pool.tier for pool in demand.pools):
            assert demand.tier in ("high", "surge", "saturated")


@given(cases)
@every_sequence
def test_where_nothing_serves_there_is_no_tier(case: Sequence) -> None:
    """2. Nothing serves: no tier, no mode, no figure of demand."""
    for snapshot in pictures(case):
        serving = [e for e in snapshot.engines if e.state in ("online", "asleep", "names-only")]
        heard = [s for s in snapshot.services if s.kind == "aither" and s.state == "online"]
        if not serving and not heard:
            assert (snapshot.demand.tier, snapshot.demand.mode) == (None, None)
            assert snapshot.demand.utilization is None


@given(cases)
@every_sequence
def test_no_room_is_promised_where_none_is(case: Sequence) -> None:
    """3. No slot is free: the headline promises no room."""
    for snapshot in pictures(case):
        pools = {pool.model: pool for pool in snapshot.demand.pools}
        if pools and all(pool.free == 0 for pool in pools.values()):
            said = snapshot.demand.headline
            assert not said.startswith("Room")
            assert "available" not in said


@given(cases)
@every_sequence
def test_a_member_that_is_down_fails_the_check(case: Sequence) -> None:
    """4. A member is down: the check warns at least, and the line begins with it."""
    for snapshot in pictures(case):
        down = [r for r in snapshot.health.reasons if r.code == "engine_down"]
        if down:
            assert exit_code(snapshot) >= 1
        if snapshot.health.state == "down":
            assert exit_code(snapshot) == 2
            assert alarm(snapshot).startswith("DOWN ")


@given(cases)
@every_sequence
def test_a_check_that_fails_begins_with_the_reason(case: Sequence) -> None:
    """Whoever reads only the line of a failed check sees what is wrong."""
    for snapshot in pictures(case):
        assert bool(alarm(snapshot)) == (exit_code(snapshot) in (1, 2))


@given(cases)
@every_sequence
def test_an_engine_that_does_not_serve_has_no_figures(case: Sequence) -> None:
    """5. Neither in its row nor in any sum."""
    for snapshot in pictures(case):
        for engine in snapshot.engines:
            if engine.state not in ("online", "asleep"):
                assert {name: getattr(engine, name) for name in LIVE} == dict.fromkeys(LIVE)
                assert engine.latencies == Latencies()
        told = [e for e in snapshot.engines if e.state == "online"]
        own = snapshot.llm.source == "engines"
        for name in ("active", "queued", "max_slots") if own else ():
            known = [v for e in told if (v := getattr(e, name)) is not None]
            assert getattr(snapshot.llm, name) == (sum(known) if known else None)


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


RATIOS = ("utilization", "kv_cache", "memory_pressure", "prefix_hit_ratio", "burn")


@given(cases)
@every_sequence
def test_ratios_are_ratios_and_counts_are_counts(case: Sequence) -> None:
    """6. In the whole document: nothing below 0, no ratio above 1."""
    for snapshot in pictures(case):
        for path, value in numbers(json.loads(dumps(snapshot))):
            assert value >= 0, path
            if path.rpartition(".")[2] in RATIOS:
                assert value <= 1, path


@given(cases)
@settings(max_examples=EXAMPLES // 3)
def test_every_view_shows_the_same_verdict(case: Sequence) -> None:
    """7. JSON, line and banner of one snapshot agree on its words, its slots and its queue."""
    snapshot = pictures(case)[-1]
    document, row = json.loads(dumps(snapshot)), line(snapshot)
    assert document["demand"]["headline"] == snapshot.demand.headline
    assert document["health"]["state"] == snapshot.health.state
    assert row.startswith(alarm(snapshot))
    drawn = text(composed(model(snapshot), 200, 60))
    assert snapshot.demand.headline[:60] in drawn
    tier = snapshot.demand.tier
    assert (f" {tier_theme(tier).word.upper()} " in drawn.splitlines()[2]) == (tier is not None)
    llm = snapshot.llm
    if presence(snapshot) == "engines" and llm.active is not None and llm.max_slots is not None:
        elsewhere = any(each.active and each.max_slots is None for each in snapshot.engines)
        share = f"{llm.active} active" if elsewhere else f"{llm.active}/{llm.max_slots}"
        slots = share + f" +{llm.queued}" * bool(llm.queued)
        said, figures = alarm(snapshot), row.removeprefix(alarm(snapshot)).lstrip(" │")
        assert said.endswith(f" {slots}") != figures.startswith(f"{slots} ")  # once
        assert document["llm"]["active"] == llm.active


def verdict(snapshot: Snapshot) -> dict[str, Any]:
    """All that is said of the whole and measured of its engines, as a user sees it."""
    demand = snapshot.demand
    return {
        "health": snapshot.health.state,
        "codes": [(r.code, r.member) for r in snapshot.health.reasons],
        "tier": demand.tier,
        "mode": demand.mode,
        "headline": demand.headline,
        "utilization": demand.utilization,
        "pools": demand.pools,
        "reasons": demand.reasons,
        "exit": exit_code(snapshot),
        "alarm": alarm(snapshot),
        "engines": {e.id: {name: getattr(e, name) for name in MEASURED} for e in snapshot.engines},
        "throughput": snapshot.throughput,
    }


@given(cases)
@every_sequence
def test_one_shots_say_what_the_app_says(case: Sequence) -> None:
    """8. With what each call left for the next, the same verdict at every poll."""
    sequence, pauses, stack = case
    rounds = as_heard(timed(sequence, pauses), stack=stack)
    app, calls = as_the_app(rounds, stack=stack), as_one_shots(rounds, stack=stack)
    assert [verdict(one) for one in calls] == [verdict(one) for one in app]
