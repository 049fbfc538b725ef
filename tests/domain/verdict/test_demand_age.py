"""The age of demand: that of the oldest figure that its formula used."""

from typing import Any

import pytest

from tests.domain.scenario import Scenario
from tokentop.domain.policy import Policy
from tokentop.domain.readings import (
    DeviceReading,
    GpusReading,
    PoolReading,
    PressureReading,
    QueueReading,
)

VRAM = GpusReading((DeviceReading(0, "GPU-a", vram_used_bytes=50, vram_total_bytes=100),))
BUSY = QueueReading(active=4, max_slots=8)
WAITING = QueueReading(queued=1, active=4, max_slots=8)
SERVING, BY_VRAM = Policy(profile="serving"), Policy(profile="vram")


@pytest.mark.parametrize(
    ("policy", "queue", "queue_age", "vram_age", "age"),
    [
        (BY_VRAM, WAITING, 2.0, 5.0, 5.0),
        (BY_VRAM, WAITING, 5.0, 2.0, 5.0),
        (BY_VRAM, BUSY, 5.0, 2.0, 2.0),  # no queue: the slots' age does not matter
        (SERVING, BUSY, 2.0, 5.0, 2.0),  # VRAM is no part of this formula
        (SERVING, BUSY, 5.0, 2.0, 5.0),
        (SERVING, WAITING, 5.0, 2.0, 5.0),
    ],
)
def test_only_what_the_formula_uses_has_a_part_in_the_age(
    policy: Policy, queue: QueueReading, queue_age: float, vram_age: float, age: float
) -> None:
    box = Scenario(policy=policy).says("genesis/llm_queue", queue, age=queue_age)
    assert box.says("nvml", VRAM, age=vram_age).fold().demand.age_s == age


def test_actas_age_where_acta_has_the_last_word() -> None:
    box = Scenario().says("nvml", VRAM, age=5.0)
    box.says("acta/compute_pressure", PressureReading(pressure=0.3), age=3.0)
    assert box.fold().demand.age_s == 3.0


@pytest.mark.parametrize(
    ("sources", "stale"),
    [({"nvml": VRAM}, False), ({"nvml": VRAM, "genesis/llm_queue": WAITING}, True)],
)
def test_a_stale_part_makes_the_whole_stale(sources: dict[str, Any], stale: bool) -> None:
    """The driver answers; genesis timed out after its last answer."""
    box = Scenario(policy=BY_VRAM)
    for key, reading in sources.items():
        box = box.says(key, reading) if key == "nvml" else box.silent(key, reading)
    assert box.fold().demand.stale is stale


def test_the_last_answers_of_silent_sources_are_no_load_of_now() -> None:
    """Mint answers, and no source of the queue or the GPUs does; with ACTA's pressure it counts."""
    box = Scenario().silent("genesis/llm_queue", BUSY).says("mint/mint_pool", PoolReading(1.0))
    (pool,) = box.fold().demand.pools
    assert (pool.active, pool.max_slots, pool.tier) == (None, None, None)
    box.says("acta/compute_pressure", PressureReading(pressure=0.3))
    assert box.fold().demand.pools[0].utilization == 0.3
