"""What is reported of two snapshots: every change once, nothing that was not seen."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from tests import engine_examples, examples
from tests.domain.verdict.test_invariants import Sequence, cases, every_sequence, pictures
from tokentop.domain.events.changes import changes
from tokentop.domain.events.log import MOST, EventLog
from tokentop.domain.gpu_detail import Xid
from tokentop.domain.snapshot import Demand, Gpu, GpuState, Service, Snapshot
from tokentop.domain.snapshot_engines import Engine, EngineState, Finished
from tokentop.domain.verdict.values import Reason, Tier

STATES = examples.STATES | engine_examples.STATES
PLACE = "http://127.0.0.1:8000"


def engine(state: EngineState = "online", **fields: Any) -> Snapshot:
    """A box with one engine that has been read before."""
    usual = {"url": PLACE, "model": "Qwen3-32B", "age_s": 0.4}
    return Snapshot(engines=(Engine("vllm@a", "vllm", state=state, **{**usual, **fields}),))


def codes(*snapshots: Snapshot) -> list[str]:
    """What a run through these snapshots reports, four seconds apart."""
    log = EventLog()
    for i, snapshot in enumerate(snapshots):
        log.add(snapshot, 4.0 * i)
    return [event.code for event in log.events()]


def test_a_silence_is_one_event_however_long_it_lasts() -> None:
    """Stale, offline, parked by the breaker and back again: down once, back once."""
    states: tuple[EngineState, ...] = (
        "online", "stale", "stale", "backing-off", "offline", "backing-off", "gone", "online",
        "online",
    )  # fmt: skip
    assert codes(*map(engine, states)) == ["engine_down", "engine_back"]


def test_down_and_back_are_said_with_the_model_the_place_and_the_reason() -> None:
    """A user sees what it is about without looking it up."""
    down = engine("gone", error="nothing listens on 127.0.0.1:8000")
    (event,) = changes(engine(), down._replace(at="2026-11-21T12:04:31.000Z"))
    assert event.text == ("Qwen3-32B (127.0.0.1:8000) is down: nothing listens on 127.0.0.1:8000")
    assert (event.member, event.at) == ("vllm@a", "2026-11-21T12:04:31.000Z")
    (event,) = changes(down, engine())
    assert event.text == "Qwen3-32B (127.0.0.1:8000) answers again"


def test_a_restart_is_seen_down_loading_and_ready() -> None:
    """As vLLM does it: the port is gone, the process loads the model, then it answers."""
    assert codes(engine(), engine("gone"), engine("starting"), engine("starting"), engine()) == [
        "engine_down", "engine_starting", "engine_ready",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"finished": Finished(stop=900)}, {"finished": Finished(stop=3)}),
        ({"preemptions": 7}, {"preemptions": 0}),
        ({"pids": (4242, 4243)}, {"pids": (5151,)}),
    ],
)
def test_a_restart_between_two_polls_is_noticed(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """A total fell, or other processes serve there; also where the silence was seen."""
    assert codes(engine(**before), engine(**after)) == ["engine_restarted"]
    assert codes(engine("gone", **before), engine(**after)) == ["engine_restarted"]


def test_a_restart_is_not_reported_again_when_its_processes_are_found() -> None:
    """The search finds the new process some polls after the engine came back."""
    old, new = {"pids": (1,)}, {"pids": (2,)}
    assert codes(engine(**old), engine("gone", **old), engine(**old), engine(**new)) == [
        "engine_down", "engine_back",
    ]  # fmt: skip


def test_several_processes_at_one_address_are_no_restarts() -> None:
    """Their totals take turns."""
    several = {"error": "several processes answer here in turn"}
    low, high = Finished(stop=3), Finished(stop=900)
    turns = [engine(finished=f, **several) for f in (high, low, high, low)]
    assert codes(*turns) == []


def test_what_was_never_polled_does_not_come_back() -> None:
    """At the start every source is offline until it has answered."""
    first = engine("offline", age_s=None)
    services = (Service("genesis", "aither"), Service("nvml", "nvml"))
    up = tuple(one._replace(state="online", age_s=0.1) for one in services)
    before = first._replace(services=services)
    assert changes(before, engine()._replace(services=up)) == ()
    assert changes(before, before) == ()


def test_what_appears_or_goes_is_no_event() -> None:
    """An engine that is found, and one that the user forgot."""
    assert changes(Snapshot(), engine()) == ()
    assert changes(engine("gone"), Snapshot()) == ()


def test_a_lost_gpu_and_its_return() -> None:
    """By UUID, with what the driver says of it."""
    gpu = Gpu(3, "GPU-3", "NVIDIA H100")
    fine, lost = (gpu,), (gpu._replace(state="lost", note="fallen off the bus"),)
    (event,) = changes(Snapshot(gpus=fine), Snapshot(gpus=lost))
    assert (event.code, event.member) == ("gpu_lost", "GPU-3")
    assert event.text == "GPU 3 (NVIDIA H100) is lost: fallen off the bus"
    (event,) = changes(Snapshot(gpus=lost), Snapshot(gpus=fine))
    assert (event.code, event.text) == ("gpu_back", "GPU 3 (NVIDIA H100) is back")
    assert changes(Snapshot(gpus=lost), Snapshot(gpus=lost)) == ()


def test_an_xid_error_is_one_event_in_words() -> None:
    """By NVIDIA's catalogue 31 is a page fault and 79 a GPU that fell off the bus."""

    def card(*xids: tuple[int, float], state: GpuState = "ok") -> Snapshot:
        gpu = Gpu(3, "GPU-3", "NVIDIA H100", state=state)
        return Snapshot(gpus=(gpu._replace(xids=tuple(Xid(*one) for one in xids)),))

    (event,) = changes(card(), card((31, 0.0)))
    assert event.text == "GPU 3 (NVIDIA H100): Xid 31 memory page fault of a program"
    assert (event.code, event.member) == ("gpu_xid", "GPU-3")
    assert changes(card((31, 0.0)), card((31, 4.0))) == ()
    assert changes(card((31, 4.0)), card((31, 8.0), (31, 0.0))) == ()  # the same program again
    found = changes(card((31, 4.0)), card((31, 8.0), (79, 0.0), (79, 0.0), state="lost"))
    assert [event.code for event in found] == ["gpu_lost", "gpu_xid"]
    full = [(13, 600.0 - i) for i in range(8)]  # as many as are kept: the oldest goes
    (event,) = changes(card(*full), card(*((13, age + 4.0) for _, age in full[1:]), (999, 0.0)))
    assert event.text == "GPU 3 (NVIDIA H100): Xid 999"


def test_a_silent_driver_and_services() -> None:
    """One event each; a machine that never had a driver has none."""
    up = (Service("nvml", "nvml", state="online", age_s=0.1),
          Service("acta", "aither", state="online", age_s=0.1))  # fmt: skip
    down = tuple(one._replace(state="stale", error="no answer within 2.5 s") for one in up)
    assert codes(Snapshot(services=up), Snapshot(services=down), Snapshot(services=up)) == [
        "driver_silent", "service_down", "driver_back", "service_back",
    ]  # fmt: skip
    absent = (Service("nvml", "nvml", error="no driver here", reason="absent"),)
    assert changes(Snapshot(services=up[:1]), Snapshot(services=absent)) == ()


def demand(tier: Tier | None, *reasons: Reason) -> Snapshot:
    return Snapshot(demand=Demand(tier=tier, reasons=reasons))


def test_a_tier_that_rises_says_why() -> None:
    """One that falls needs no reason; one that is not known is no change."""
    full = Reason("queue_full", "64 requests wait for Qwen3-32B, which has 64 slots")
    (event,) = changes(demand("high"), demand("saturated", full))
    assert event.text == (
        "demand rose from high to full: 64 requests wait for Qwen3-32B, which has 64 slots"
    )
    (event,) = changes(demand("saturated", full), demand("surge", full))
    assert event.text == "demand fell from full to surge"
    assert codes(demand("high"), demand(None), demand("high")) == []


def test_refusals_and_preemptions_are_reported_when_they_begin() -> None:
    """Not at each poll for as long as they go on."""
    refuses = Reason("rejections", "Qwen3-32B refused requests within the last minute", "a")
    preempts = Reason("preemptions", "Qwen3-32B set back running requests", "a")
    calm, busy = demand("high"), demand("high", refuses, preempts)
    assert codes(calm, busy, busy, busy, calm) == ["rejections", "preemptions"]
    assert codes(calm, busy, calm, busy) == ["rejections", "preemptions"]


def test_remote_text_is_harmless() -> None:
    """A model's name and a server's own words come out as one printable line of some length."""
    hostile = engine("gone", model="a\x1b[31m\nb\u202e" + "x" * 900, error="\x07" * 9 + "y" * 900)
    (event,) = changes(engine(), hostile)
    assert event.text.isprintable()
    assert len(event.text) <= 200


def test_the_log_is_bounded_and_begins_empty() -> None:
    """A first snapshot has nothing before it; an engine that flaps for a day fills no memory."""
    log = EventLog()
    assert log.add(engine("gone"), 0.0) == ()
    for i in range(2 * MOST):
        log.add(engine("online" if i % 2 else "gone"), 4.0 * i)
    assert len(log.events()) == MOST


def test_events_up_to_a_moment() -> None:
    """What a paused picture shows."""
    log = EventLog()
    for second, state in enumerate(("online", "gone", "online")):
        at = f"2026-11-21T12:04:0{second}.000Z"
        log.add(engine(state)._replace(at=at), 4.0 * second)  # type: ignore[arg-type]
    assert [e.code for e in log.events("2026-11-21T12:04:01.000Z")] == ["engine_down"]


@pytest.mark.parametrize("state", STATES)
def test_nothing_changes_between_equal_pictures(state: str) -> None:
    """Whatever is on the screen, standing still is no event."""
    snapshot = STATES[state]()
    assert changes(snapshot, snapshot) == ()


@given(cases)
@every_sequence
def test_every_run_of_polls_makes_sense(case: Sequence) -> None:
    """An engine goes down only after it answered, and texts are one line, whatever is polled."""
    for before, after in pairwise(pictures(case)):
        for event in changes(before, after):
            assert event.text.isprintable()
            assert event.at == after.at
            if event.code == "engine_down":
                (old,) = (e for e in before.engines if e.id == event.member)
                assert old.state not in ("gone", "offline", "stale", "backing-off")
