"""The health strip: one state and one sentence per service."""

import pytest

from tests.domain.scenario import VIEWS, Scenario
from tokentop.domain.readings import (
    AgentsReading,
    DeviceReading,
    Failure,
    GpusReading,
    PressureReading,
    QueueReading,
)
from tokentop.domain.snapshot import AITHER_SERVICES

QUEUE, AGENTS, SLOTS = "genesis/llm_queue", "genesis/agents", "genesis/llm_slots"
GENESIS = (QUEUE, AGENTS, SLOTS)
REFUSED = Failure("refused", "nothing listens at http://genesis")
MISSING = Failure("http", "http://genesis has no such path (404)", True, 404)
HTML = Failure("bad-data", "the answer is HTML, not JSON", True)
READING = QueueReading(queued=1)


def everyone(failure: Failure) -> Scenario:
    scene = Scenario()
    for key in GENESIS:
        scene.says(key, failure)
    return scene


@pytest.mark.parametrize(
    ("scene", "state", "error"),
    [
        (Scenario(), "offline", None),
        (Scenario().says(QUEUE, READING), "online", None),
        (
            everyone(REFUSED),
            "offline",
            "nothing listens at http://genesis (llm_queue, agents, llm_slots)",
        ),
        (everyone(REFUSED).backing_off(*GENESIS), "backing-off", None),
        (everyone(REFUSED).backing_off(QUEUE), "offline", None),
        (
            Scenario().says(QUEUE, READING).says(AGENTS, MISSING),
            "online",
            "http://genesis has no such path (404) (agents)",
        ),
        (
            Scenario().silent(QUEUE, READING),
            "stale",
            "no complete answer within 2.5 s (llm_queue)",
        ),
        (Scenario().says(QUEUE, READING, age=60.0), "stale", None),
        (
            Scenario().says(QUEUE, READING).says(AGENTS, HTML),
            "bad-data",
            "the answer is HTML, not JSON (agents)",
        ),
        (
            Scenario().silent(QUEUE, READING).says(AGENTS, HTML).says(SLOTS, REFUSED),
            "bad-data",
            None,
        ),
        (
            Scenario().says(QUEUE, QueueReading(queued=1, bad=("active",))),
            "bad-data",
            "unusable values in active (llm_queue)",
        ),
    ],
)
def test_a_service_has_one_state(scene: Scenario, state: str, error: str | None) -> None:
    """One answering endpoint keeps it online; backing off needs all; bad data shows through."""
    genesis = scene.service("genesis")
    assert genesis.state == state
    if error is not None:
        assert genesis.error == error


def test_a_healthy_service_has_no_error() -> None:
    """And its latency is that of its slowest endpoint, its age that of its newest answer."""
    scene = Scenario().says(QUEUE, READING, age=3.0).says(AGENTS, AgentsReading(1), age=2.0)
    scene.cache.record(SLOTS, READING, 996.0, 0.25)
    genesis = scene.service("genesis")
    assert (genesis.error, genesis.latency_ms, genesis.age_s) == (None, 250.0, 2.0)


def test_several_troubles_make_one_sentence() -> None:
    """Each cause is said once, with the endpoints it concerns."""
    scene = Scenario().says(QUEUE, HTML).says(AGENTS, REFUSED).says(SLOTS, HTML)
    assert scene.service("genesis").error == (
        "the answer is HTML, not JSON (llm_queue, llm_slots); "
        "nothing listens at http://genesis (agents)"
    )


def test_a_service_that_is_switched_off_is_off() -> None:
    """Not offline: nobody expects it."""
    off = (VIEWS[0]._replace(enabled=False), *VIEWS[1:])
    scene = Scenario(services=off)
    assert scene.service("genesis").state == "off"
    assert dict(scene.fold().services_online)["genesis"] is False


def test_the_driver_is_listed_last_in_words() -> None:
    """One entry of kind nvml: its failure is a sentence, its figures have an age."""
    absent = Failure("absent", "no NVIDIA driver on this machine")
    scene = Scenario().says("nvml", absent)
    nvml = scene.fold().services[-1]
    assert (nvml.name, nvml.kind, nvml.state) == ("nvml", "nvml", "offline")
    assert nvml.error == "no NVIDIA driver on this machine"
    assert Scenario().says("nvml", GpusReading()).service("nvml").state == "online"
    assert (
        Scenario().silent("nvml", GpusReading((DeviceReading(0),))).service("nvml").state == "stale"
    )
    assert Scenario(nvml_enabled=False).service("nvml").state == "off"


def test_the_seven_booleans_follow_the_latest_poll() -> None:
    """True for a valid answer in the latest poll, even beside failing endpoints; else false."""
    scene = Scenario().says(QUEUE, READING).says(AGENTS, REFUSED)
    scene.silent("acta/compute_pressure", PressureReading(0.5)).says("mint/mint_pool", HTML)
    online = scene.fold().services_online
    assert tuple(name for name, _ in online) == AITHER_SERVICES
    assert [name for name, up in online if up] == ["genesis"]
