"""Which members count, what the state of each means, and the health of a pool and of the whole."""

from typing import Any

import pytest

from tests.domain.scenario import Scenario
from tests.domain.verdict.observed import REFUSED, TIMEOUT, engine, judged, unread
from tokentop.domain.policy import HealthPolicy, Policy
from tokentop.domain.readings import DeviceReading, Failure, GpusReading, QueueReading
from tokentop.domain.snapshot import Process
from tokentop.domain.verdict.check import alarm, exit_code

DOWN = {"outcome": REFUSED, "unserved_since": 940.0}
LOADING = {"health": "starting", "unserved_since": 990.0}


def test_a_dead_engine_is_down_and_never_idle() -> None:
    """It was read before, and nothing listens there now."""
    snapshot = judged(engine(**DOWN))
    assert snapshot.engines[0].state == "gone"
    assert (snapshot.health.state, snapshot.demand.tier, snapshot.demand.mode) == (
        "down",
        None,
        None,
    )
    assert snapshot.demand.headline == (
        "Qwen3-32B is down: nothing listens on 127.0.0.1:8000 (since 11:59)"
    )
    assert (exit_code(snapshot), alarm(snapshot)) == (2, "DOWN Qwen3-32B")


@pytest.mark.parametrize(
    ("members", "state", "code"),
    [
        ([{}], "ok", 0),
        ([{"health": "asleep"}], "ok", 0),
        ([{"health": "names-only"}], "ok", 0),
        ([DOWN], "down", 2),
        ([{"outcome": TIMEOUT, "age_s": 61.0}], "down", 2),
        ([{"outcome": TIMEOUT, "age_s": 61.0, "backing_off": True}], "down", 2),
        ([{"outcome": TIMEOUT, "age_s": 20.0}], "degraded", 1),
        ([{"outcome": TIMEOUT, "age_s": 5.0}], "ok", 0),
        ([{"outcome": Failure("bad-data", "odd")}], "degraded", 1),
        ([{"outcome": Failure("auth", "401")}], "degraded", 1),
        ([{"health": "no-metrics"}], "degraded", 1),
        ([{"bad": ("kv_cache",)}], "degraded", 1),
        ([{"active": 2, "stuck_s": 31.0}], "degraded", 1),
        ([LOADING], "starting", 1),
        ([{"health": "starting", "unserved_since": 399.0}], "down", 2),
        ([{}, LOADING], "ok", 0),
        ([{}, DOWN], "degraded", 1),
        ([{}, {"outcome": TIMEOUT, "age_s": 20.0}], "degraded", 1),
        ([LOADING, DOWN], "down", 2),
        ([LOADING, {"health": "no-metrics"}], "starting", 1),
    ],
)
def test_one_models_pool(members: list[dict[str, Any]], state: str, code: int) -> None:
    """Down when none serves and one is down, degraded when some serve and some do not."""
    snapshot = judged(*(engine(8000 + i, **each) for i, each in enumerate(members)))
    assert (snapshot.health.state, exit_code(snapshot)) == (state, code)
    assert [pool.health for pool in snapshot.demand.pools] == [state]


def test_the_whole_is_as_well_as_its_worst_pool() -> None:
    """A model that is down is not made up for by another's engine; the rest keeps its tier."""
    snapshot = judged(
        engine(8000, active=1, queued=0, max_slots=8), engine(8001, "Llama-8B", **DOWN)
    )
    assert (snapshot.health.state, exit_code(snapshot)) == ("down", 2)
    assert snapshot.demand.tier == "low"
    assert {p.model: p.health for p in snapshot.demand.pools} == {
        "Llama-8B": "down",
        "Qwen3-32B": "ok",
    }
    assert snapshot.demand.headline.startswith("Llama-8B is down")


def test_the_grace_of_a_start_is_the_users() -> None:
    """Ten minutes unless the file says otherwise."""
    late = engine(health="starting", unserved_since=1000.0 - 700.0)
    assert judged(late).health.state == "down"
    patient = Policy(health=HealthPolicy(starting_grace_s=900.0))
    assert judged(late, policy=patient).health.state == "starting"
    assert judged(late).demand.headline == "Qwen3-32B is down: it has been starting for 11m"


@pytest.mark.parametrize("health", ["auth-required", "no-metrics"])
def test_an_engine_only_found_and_never_read_does_not_count(health: str) -> None:
    """It is shown, and changes no health."""
    stranger = engine(8001, None, health=health, read_before=False)
    alone = judged(stranger)
    assert (alone.health.state, exit_code(alone)) == ("unknown", 3)
    assert len(alone.engines) == 1
    assert judged(engine(), stranger).health.state == "ok"


def test_a_configured_engine_counts_from_the_first_poll_on() -> None:
    """The user says that it should serve; before its first answer nothing is said."""
    assert judged(unread()).health.state == "down"
    assert judged(unread(outcome=None)).health.state == "unknown"
    assert judged(unread(outcome=Failure("auth", "401"))).health.state == "degraded"
    assert judged(unread(starting=True)).health.state == "starting"


def test_without_members_health_is_unknown() -> None:
    """Silence is never idle."""
    snapshot = judged()
    assert (snapshot.health.state, snapshot.demand.tier, exit_code(snapshot)) == (
        "unknown",
        None,
        3,
    )
    assert snapshot.health.reasons[0].code == "no_engine"
    assert snapshot.demand.headline in ("No data yet", "No engine is serving here")


def gpus(*devices: DeviceReading) -> Scenario:
    return Scenario(services=(), priced=False).says("nvml", GpusReading(devices))


def _same(scene: Scenario, engines: tuple[Any, ...]) -> Scenario:
    scene.changes["engines"] = engines
    return scene


def test_a_gpu_lost_under_an_engine_degrades_it() -> None:
    """It still answers, and may serve; other GPUs of the host degrade the whole."""
    lost = DeviceReading(0, "GPU-a", state="lost", note="Xid 79", processes=(Process(11),))
    scene = _same(gpus(lost), (engine(pids=(11,)),))
    health = scene.fold().health
    assert health.state == "degraded"
    assert [reason.code for reason in health.reasons] == ["engine_degraded", "gpu_lost"]
    elsewhere = _same(gpus(lost), (engine(pids=(12,)),)).fold().health
    assert [reason.code for reason in elsewhere.reasons] == ["gpu_lost"]
    assert elsewhere.state == "degraded"


def test_a_driver_that_stopped_answering_is_a_reason() -> None:
    """Also where the engines are well; a box that never had one misses none."""
    scene = gpus(DeviceReading(0, "GPU-a")).says("nvml", TIMEOUT)
    health = _same(scene, (engine(),)).fold().health
    assert (health.state, health.reasons[0].code) == ("degraded", "driver_silent")
    absent = Scenario(services=()).says("nvml", Failure("absent", "no NVIDIA driver"))
    assert _same(absent, (engine(),)).fold().health.state == "ok"


def test_a_driver_that_lost_every_gpu_is_said_once() -> None:
    """As lost GPUs, not as a driver that is silent as well."""
    scene = gpus(DeviceReading(0, "GPU-a")).says(
        "nvml", GpusReading((DeviceReading(0, "GPU-a", state="lost", note="Xid 79"),))
    )
    health = _same(scene, (engine(),)).fold().health
    assert (health.state, [r.code for r in health.reasons]) == ("degraded", ["gpu_lost"])


def test_a_gpu_that_fails_later_counts_and_one_that_was_never_ours_does_not() -> None:
    """In error after it was read is a fault; closed to this user from the start is none."""
    good, failed = DeviceReading(0, "GPU-a"), DeviceReading(0, "GPU-a", state="error", note="no")
    other = DeviceReading(1, "GPU-b")
    later = gpus(good, other).says("nvml", GpusReading((failed, other)))
    (reason,) = _same(later, (engine(),)).fold().health.reasons
    assert (reason.code, reason.text) == ("gpu_lost", "GPU 0 fails: no")
    closed = gpus(failed, other)
    assert _same(closed, (engine(),)).fold().health.state == "ok"


def stack(**said: Any) -> Scenario:
    scene = Scenario()
    for key, reading in said.items():
        service, _, endpoint = key.partition("__")
        scene.says(f"{service}/{endpoint}", reading)
    return scene


def test_the_stack_is_down_when_none_of_its_sources_answers() -> None:
    """It is configured; with a queue source it serves, and what is missing degrades it."""
    silent = stack(genesis__llm_queue=TIMEOUT).fold()
    assert (silent.health.state, silent.demand.tier, exit_code(silent)) == ("down", None, 2)
    assert alarm(silent) == "DOWN stack"
    partly = stack(genesis__llm_queue=QueueReading(queued=0, active=1, max_slots=8)).fold()
    assert partly.health.state == "degraded"
    assert {reason.code for reason in partly.health.reasons} == {"engine_down"}


def test_an_unconfigured_stack_counts_once_it_has_answered() -> None:
    """Seven default addresses that never answered are no stack."""
    strangers = tuple(view._replace(configured=False) for view in Scenario().input().services)
    nobody = Scenario(services=strangers).fold()
    assert nobody.health.state == "unknown"
    queue = QueueReading(queued=0, active=1, max_slots=8)
    once = Scenario(services=strangers).silent("genesis/llm_queue", queue).fold()
    assert [once.health.state, *(r.member for r in once.health.reasons)] == [
        "down",
        "stack",
        "genesis",
    ]
