"""The seven services' verdict: their queue, their VRAM, ACTA's word, back-pressure, free."""

from typing import Any

import pytest

from tests.domain.scenario import Scenario
from tokentop.domain.policy import Policy, PricingPolicy
from tokentop.domain.readings import (
    AccelReading,
    DeviceReading,
    GpusReading,
    PressureReading,
    QueueReading,
    Reading,
)
from tokentop.domain.verdict.check import alarm, exit_code

QUEUE = "genesis/llm_queue"


def scene(
    queue: QueueReading | None = None, acta: PressureReading | None = None, used: int = 0
) -> Scenario:
    built = Scenario()
    said: dict[str, Reading | None] = {QUEUE: queue, "acta/compute_pressure": acta}
    for key, reading in said.items():
        if reading is not None:
            built.says(key, reading)
    if used:
        device = DeviceReading(0, "GPU-a", vram_used_bytes=used, vram_total_bytes=100)
        built.says("nvml", GpusReading((device,)))
    return built


def waiting(queued: int, active: int = 8, **more: Any) -> QueueReading:
    return QueueReading(queued=queued, active=active, max_slots=8, **more)


@pytest.mark.parametrize(
    ("queue", "used", "tier", "mode", "words"),
    [
        (waiting(0, 1), 5, "idle", "normal", "Room for 7 more requests"),
        (waiting(0, 1), 70, "high", "normal", "Busy, room for 7 more requests"),
        (waiting(0, 1), 85, "surge", "pressure", "Nearly full, room for 7 more requests"),
        (waiting(0, 1), 96, "saturated", "saturated", "Full: there is no room for more"),
        (waiting(8), 5, "saturated", "saturated", "Full: 8 requests wait"),
        (waiting(2), 5, "high", "normal", "Busy: 2 requests wait"),
        (
            waiting(0, 1, back_pressure=True),
            5,
            "saturated",
            "pressure",
            "Back-pressure reported by genesis",
        ),
        (waiting(8, back_pressure=True), 5, "saturated", "saturated", "Full: 8 requests wait"),
        (
            waiting(0, 1, back_pressure=True),
            96,
            "saturated",
            "saturated",
            "Full: there is no room for more",
        ),
    ],
)
def test_the_stacks_tiers_and_modes(
    queue: QueueReading, used: int, tier: str, mode: str, words: str
) -> None:
    """VRAM decides in the stack; back-pressure alone stands under the amber banner."""
    demand = scene(queue, used=used).fold().demand
    assert (demand.tier, demand.mode, demand.headline) == (tier, mode, words)


@pytest.mark.parametrize(("pressure", "tier"), [(0.05, "idle"), (0.97, "saturated")])
def test_acta_has_the_last_word(pressure: float, tier: str) -> None:
    """Whatever the VRAM says."""
    demand = scene(waiting(0, 1), PressureReading(pressure=pressure), used=50).fold().demand
    assert (demand.tier, demand.source, demand.utilization) == (tier, "acta", pressure)
    assert demand.memory_pressure == 0.5
    assert demand.reasons[0].code == "acta"


def test_acta_does_not_make_waiting_requests_idle() -> None:
    """Its pressure is low, and eight wait."""
    demand = scene(waiting(3), PressureReading(pressure=0.1)).fold().demand
    assert demand.tier == "high"


def test_acta_without_a_figure_leaves_the_local_result() -> None:
    """It reports back-pressure only: the tier is full, the banner amber, the reason names it."""
    demand = scene(waiting(0, 1), PressureReading(back_pressure=True), used=10).fold().demand
    assert (demand.source, demand.utilization) == ("local", 0.1)
    assert (demand.tier, demand.mode) == ("saturated", "pressure")
    assert demand.headline == "Back-pressure reported by acta"


def test_capacity_is_said_to_be_available_only_with_a_free_slot() -> None:
    """The same words whether requests cost something or not."""
    priced = Policy(pricing=PricingPolicy(everything_free=False))
    free, full = scene(waiting(0, 1), used=5), scene(waiting(0, 8), used=5)
    said = [one.input()._replace(policy=priced) for one in (free, full)]
    from tests.domain.scenario import fold

    assert [fold(each).demand.headline for each in said] == [
        "Room for 7 more requests",
        "Busy: no slot is free",
    ]


def test_a_stack_whose_queue_fell_silent_shows_its_age() -> None:
    """The figures stay, marked; the age is the queue's, not that of whoever answered last."""
    built = scene(used=50).silent(QUEUE, waiting(0, 8), age=45.0)
    assert built.fold().demand.tier is None  # nobody of the stack answers: nothing is known of now
    built.says("accel/status", AccelReading())
    demand = built.fold().demand
    assert (demand.tier, demand.age_s) == ("moderate", pytest.approx(45.0))


def test_the_line_names_what_is_full() -> None:
    """The stack is no model: its name is left out."""
    snapshot = scene(waiting(41, 8), used=5).fold()
    assert (alarm(snapshot), exit_code(snapshot)) == ("FULL 8/8 +41", 2)
