"""The fold: which source is preferred, and what stays when sources stop answering."""

from typing import Any

import pytest

from tests.domain.scenario import NOW, Scenario, fold
from tokentop.domain.fold.fold import FoldInput
from tokentop.domain.policy import Policy, PricingPolicy
from tokentop.domain.readings import (
    AccelReading,
    AgentsReading,
    DeviceReading,
    GpusReading,
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
    PoolReading,
    PressureReading,
    QueueReading,
    RatesReading,
    StreamsReading,
    VramReading,
)
from tokentop.domain.snapshot import CloudInstance, Snapshot
from tokentop.domain.snapshot_stack import Agents, Mint, Parallel

QUEUE, SLOTS = "genesis/llm_queue", "genesis/llm_slots"
STATS, CAPACITY = "microscheduler/queue_stats", "microscheduler/capacity"
ROWS = (QUEUE, SLOTS, STATS, CAPACITY)


def test_without_an_answer_the_snapshot_is_the_safe_zero_state() -> None:
    """No figure is invented: unknown is None, the tier and the mode too."""
    empty = fold(FoldInput(version="1", priced=False))
    zero = Snapshot(version="1")
    for field in ("gpus", "llm", "demand", "cloud", "mint", "parallel", "agents", "data_age_s"):
        assert getattr(empty, field) == getattr(zero, field), field
    assert empty.demand.message == "No data yet"
    assert empty.pricing.multiplier is empty.pricing.base_cost_tokens is None
    assert not any(up for _, up in empty.services_online)
    assert (empty.capacity.progress, empty.capacity.needed) == (None, False)


@pytest.mark.parametrize("field", ["active", "queued", "max_slots", "models"])
@pytest.mark.parametrize("first", range(4))
def test_each_slot_figure_comes_from_the_first_row_that_has_it(field: str, first: int) -> None:
    """Rows 1, 3, 4 and 5, in this order; a row that does not say is passed over."""
    scene = Scenario()
    for place, key in enumerate(ROWS):
        known: Any = (f"m{place}",) if field == "models" else place + 10
        scene.says(key, QueueReading(**({field: known} if place >= first else {})))
    llm = scene.fold().llm
    assert getattr(llm, field) == ((f"m{first}",) if field == "models" else first + 10)
    assert llm.source == ("genesis" if first < 2 else "microscheduler")
    assert not llm.stale


def test_a_fresh_second_choice_beats_a_silent_first_choice() -> None:
    """Genesis died; MicroScheduler's figures of now are better than Genesis' of then."""
    scene = Scenario().silent(QUEUE, QueueReading(9, 9)).says(STATS, QueueReading(1, 2))
    llm = scene.fold().llm
    assert (llm.queued, llm.active, llm.source, llm.stale) == (1, 2, "microscheduler", False)


def test_when_all_are_silent_the_preferred_ones_last_word_stays() -> None:
    """Marked stale, with its age, although another source answered later."""
    scene = (
        Scenario().silent(QUEUE, QueueReading(9, 8, 10), 60).silent(STATS, QueueReading(1, 2), 30)
    )
    llm = scene.fold().llm
    assert (llm.queued, llm.active, llm.max_slots, llm.free) == (9, 8, 10, 2)
    assert (llm.source, llm.stale, llm.age_s) == ("genesis", True, 60.0)


def test_an_answer_grows_stale_by_age_alone() -> None:
    """A worker that hangs reports no failure; its last answer is old all the same."""
    scene = Scenario(stale_after_s=10.0).says(QUEUE, QueueReading(1), age=10.5)
    assert scene.fold().llm.stale
    assert not Scenario(stale_after_s=11.0).says(QUEUE, QueueReading(1), age=10.5).fold().llm.stale


def test_mixed_sources_are_all_named_in_order_of_preference() -> None:
    """Genesis has the queue, MicroScheduler the slots; free is counted from both."""
    scene = Scenario().says(CAPACITY, QueueReading(max_slots=4)).says(QUEUE, QueueReading(1, 6))
    llm = scene.fold().llm
    assert (llm.source, llm.free) == ("genesis+microscheduler", 0)


def test_models_are_in_a_stable_order() -> None:
    """However the server lists them, the chips keep their places."""
    for models in (("b", "A", "c"), ("c", "b", "A")):
        llm = Scenario().says(QUEUE, QueueReading(models=models)).fold().llm
        assert llm.models == ("A", "b", "c")


def test_back_pressure_counts_from_any_source_that_answers() -> None:
    """One reporter is enough, but not one that fell silent while others answer."""
    calm, pressed = QueueReading(0, 1, back_pressure=False), QueueReading(back_pressure=True)
    assert Scenario().says(QUEUE, calm).says(CAPACITY, pressed).fold().demand.tier == "saturated"
    after = Scenario().says(QUEUE, calm).silent(CAPACITY, pressed).fold()
    assert (after.llm.back_pressure, after.demand.back_pressure) == (False, False)
    assert Scenario().silent(CAPACITY, pressed).fold().llm.back_pressure is True


def gpu(index: int, used: int | None, total: int | None, **changes: Any) -> DeviceReading:
    return DeviceReading(
        index, f"GPU-{index}", vram_used_bytes=used, vram_total_bytes=total
    )._replace(**changes)


def test_memory_pressure_sums_the_physical_gpus_with_both_sizes() -> None:
    """MIG instances belong to their parent, a lost GPU counts for nothing, nor does half a pair."""
    devices = (
        gpu(0, 30, 100),
        gpu(1, 50, 100),
        gpu(2, 90, 90, mig="GPU-1"),
        gpu(3, 99, 99, state="lost"),
        gpu(4, None, 500),
        gpu(5, 3, None),
    )
    demand = Scenario().says("nvml", GpusReading(devices)).fold().demand
    assert demand.memory_pressure == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("readings", "pressure"),
    [
        ({QUEUE: QueueReading(vram_used_bytes=1, vram_total_bytes=4)}, 0.25),
        ({"microscheduler/vram_status": VramReading(10, 5)}, 0.5),
        (
            {
                QUEUE: QueueReading(queued=0, vram_used_bytes=1),
                "microscheduler/vram_status": VramReading(10, 5),
            },
            0.5,
        ),
        ({"microscheduler/vram_status": VramReading(0, 0)}, None),
    ],
)
def test_without_gpus_the_schedulers_books_give_the_memory_pressure(
    readings: dict[str, Any], pressure: float | None
) -> None:
    """Genesis' figures, else MicroScheduler's; a total of 0 is no total."""
    scene = Scenario()
    for key, reading in readings.items():
        scene.says(key, reading)
    assert scene.fold().demand.memory_pressure == pressure


def test_a_known_gpu_silences_the_schedulers_books() -> None:
    """They are for boxes where no GPU is known."""
    scene = Scenario().says(QUEUE, QueueReading(vram_used_bytes=9, vram_total_bytes=10))
    assert scene.says("nvml", GpusReading((gpu(0, 1, 10),))).fold().demand.memory_pressure == 0.1


PRESSED = PressureReading(pressure=0.9, multiplier=5.5)


def test_acta_is_the_truth_while_it_answers() -> None:
    """Its pressure and its own multiplier; the local parts are still told."""
    scene = Scenario().says("acta/compute_pressure", PRESSED).says(QUEUE, QueueReading(2, 2, 10))
    snapshot = scene.fold()
    assert (snapshot.demand.utilization, snapshot.demand.source) == (0.9, "acta")
    assert (snapshot.pricing.multiplier, snapshot.pricing.source) == (5.5, "acta")
    assert snapshot.demand.queue_pressure == 0.2


def test_acta_silent_gives_way_to_local_figures_of_now() -> None:
    """Neither its pressure nor its multiplier outlives it while something local answers."""
    scene = Scenario().silent("acta/compute_pressure", PRESSED).says(QUEUE, QueueReading(2, 2, 10))
    snapshot = scene.fold()
    assert (snapshot.demand.source, snapshot.demand.stale) == ("local", False)
    assert snapshot.demand.utilization == pytest.approx(0.18)
    assert snapshot.pricing.source == "local"


def test_silent_acta_yields_to_the_local_formula() -> None:
    """ACTA counts while it answers; afterwards the local figures do, stale as they may be."""
    scene = (
        Scenario()
        .silent("acta/compute_pressure", PRESSED)
        .silent(QUEUE, QueueReading(2, 2, 10))
        .says("accel/gpu_metrics", GpusReading((gpu(0, 1, 10),)))
    )
    snapshot = scene.fold()
    assert (snapshot.demand.source, snapshot.demand.stale) == ("local", True)
    assert snapshot.pricing.source == "local"


def test_acta_keeps_the_last_word_where_no_other_source_answers() -> None:
    """The last good picture stays, marked stale, while anybody of the stack answers."""
    scene = Scenario().silent("acta/compute_pressure", PRESSED)
    assert scene.fold().demand.tier is None
    snapshot = scene.says("accel/gpu_metrics", GpusReading()).fold()
    assert (snapshot.demand.source, snapshot.demand.stale) == ("acta", True)
    assert snapshot.demand.age_s == 60.0
    assert snapshot.pricing.multiplier == 5.5


def test_local_demand_is_as_old_as_its_oldest_part() -> None:
    """What is computed from an old queue is old, however fresh the VRAM is."""
    queue, pool = QueueReading(2, 2, 10), GpusReading((gpu(0, 1, 10),))
    scene = Scenario().says("accel/status", AccelReading())
    fresh = scene.says(QUEUE, queue).says("nvml", pool).fold().demand
    assert (fresh.stale, fresh.age_s) == (False, 1.0)
    half = scene.silent(QUEUE, queue, age=30.0).fold()
    assert (half.demand.stale, half.demand.age_s) == (True, 30.0)
    assert (half.capacity.stale, half.capacity.age_s) == (True, 30.0)
    assert (half.pricing.stale, half.pricing.age_s) == (True, 30.0)


def test_capacity_is_as_old_as_its_offer() -> None:
    """Demand is of now, the offer is an hour old."""
    offers = OffersReading((Offer("o", "RTX 4090", 24 * 2**30, usd_per_hour=0.4),))
    scene = (
        Scenario()
        .says(QUEUE, QueueReading(2, 2, 10))
        .silent("compute/cloud_offers", offers, 3600.0)
    )
    found = scene.fold()
    assert (found.demand.stale, found.demand.age_s) == (False, 1.0)
    assert (found.capacity.stale, found.capacity.age_s) == (True, 3600.0)


def test_mints_rates_win_over_the_defaults_and_outlive_mint() -> None:
    """The free switch zeroes what is paid, not what it would cost."""
    rates = RatesReading(12.0, 1000.0)
    for scene, stale in (
        (Scenario().says("mint/mint_rates", rates), False),
        (Scenario().silent("mint/mint_rates", rates), True),
    ):
        snapshot = scene.fold()
        assert snapshot.mint == Mint(
            base_cost_tokens=12.0, source="mint", age_s=60.0 if stale else 1.0, stale=stale
        )
        assert snapshot.pricing.base_cost_tokens == 12.0
        assert snapshot.pricing.tokens_per_usd == 1000.0
        assert snapshot.pricing.effective_cost_tokens == 0.0
    snapshot = Scenario().says("mint/mint_pool", PoolReading(5.0, 3.0, -1.0)).fold()
    assert snapshot.mint == Mint(5.0, 3.0, -1.0, 10.0, "default", 1.0)


def test_costs_are_unknown_until_the_stack_or_a_price_is_known() -> None:
    """A box with only GPUs has no token price; the first answer of the stack gives it one."""
    gpus_only = Scenario(priced=False).says("nvml", GpusReading((gpu(0, 1, 10),)))
    assert gpus_only.fold().pricing.base_cost_tokens is None
    assert gpus_only.says("genesis/agents", AgentsReading(1)).fold().pricing.base_cost_tokens == 10


def test_real_costs_come_with_the_switch_off() -> None:
    """The calculation ran all along."""
    policy = Policy(pricing=PricingPolicy(everything_free=False))
    scene = Scenario(policy=policy).says("acta/compute_pressure", PRESSED)
    assert scene.fold().pricing.effective_cost_tokens == 55.0


@pytest.mark.parametrize(
    ("status", "listed", "active", "billed"),
    [
        ("running", True, True, True),
        ("Ready", True, True, True),
        (None, True, True, True),
        ("provisioning", True, False, True),
        ("starting", True, False, True),
        ("something new", True, False, True),
        ("stopped", True, False, False),
        ("terminated", False, False, False),
    ],
)
def test_an_instance_counts_by_its_status(
    status: str | None, listed: bool, active: bool, billed: bool
) -> None:
    """Only one that serves is active; one that comes up is paid for already."""
    reading = InstancesReading((InstanceReading("i", "L4", "eu", status, "m", 0.5),))
    cloud = Scenario().says("compute/cloud_instances", reading).fold().cloud
    one = CloudInstance("i", "L4", "eu", status, "m", 0.5, active)
    assert cloud.instances == ((one,) if listed else ())
    assert cloud.active == int(active)
    assert cloud.usd_per_hour == (0.5 if billed else 0.0)


def test_an_hourly_bill_without_any_price_is_unknown() -> None:
    """None, not 0, while an instance runs at an unknown price."""
    reading = InstancesReading((InstanceReading("i", status="running"),))
    assert Scenario().says("compute/cloud_instances", reading).fold().cloud.usd_per_hour is None
    assert Scenario().says("compute/cloud_instances", InstancesReading()).fold().cloud.active == 0
    assert Scenario().fold().cloud.instances is None


def test_the_next_instance_is_measured_against_this_hosts_gpus() -> None:
    """A GPU elsewhere does not decide what is large enough here."""
    offers = OffersReading(
        (Offer("a", "small", 8, usd_per_hour=0.1), Offer("b", "large", 64, usd_per_hour=0.9))
    )
    away = Scenario().says("accel/gpu_metrics", GpusReading((gpu(0, 1, 32, node="far"),)))
    assert away.says("compute/cloud_offers", offers).fold().capacity.next_instance.gpu == "small"
    here = Scenario().says("nvml", GpusReading((gpu(0, 1, 32),)))
    assert here.says("compute/cloud_offers", offers).fold().capacity.next_instance.gpu == "large"


def test_the_scale_down_clock_starts_with_the_snapshot_that_sees_the_lull() -> None:
    """The countdown is full in the first snapshot below the bound, and runs from then."""

    def calm() -> Scenario:
        scene = Scenario().says(QUEUE, QueueReading(0, 0, 10))
        return scene.says("compute/cloud_instances", InstancesReading((InstanceReading("i"),)))

    assert calm().fold().capacity.scale_down_in_s == 600.0
    later = fold(calm().input()._replace(below_since=NOW - 100))
    assert (later.capacity.scale_down_in_s, later.capacity.needed) == (500.0, True)


def test_the_quiet_line_keeps_its_last_figures() -> None:
    """Streams and agents, fresh and silent."""
    streams, agents = StreamsReading(1, 4, 9), AgentsReading(5, 2)
    fresh = Scenario().says("parallel/streams_stats", streams).says("genesis/agents", agents).fold()
    assert (fresh.parallel, fresh.agents) == (Parallel(1, 4, 9, 1.0), Agents(5, 2, 1.0))
    silent = Scenario().silent("parallel/streams_stats", streams).silent("genesis/agents", agents)
    assert silent.fold().parallel == Parallel(1, 4, 9, 60.0, stale=True)
    assert silent.fold().agents == Agents(5, 2, 60.0, stale=True)


def test_agents_at_work_come_from_microscheduler_where_the_roster_has_no_status() -> None:
    """Row 6 knows how many are active."""
    scene = Scenario().says("genesis/agents", AgentsReading(5))
    assert scene.says("microscheduler/vram_status", VramReading(active_agents=3)).fold().agents == (
        Agents(5, 3, 1.0)
    )


def test_the_data_age_is_that_of_the_newest_answer() -> None:
    """The local driver counts as well."""
    scene = Scenario().says(QUEUE, QueueReading(1), age=7.0).silent(STATS, QueueReading(1), age=5.0)
    assert scene.fold().data_age_s == 5.0
    assert scene.says("nvml", GpusReading(), age=0.5).fold().data_age_s == 0.5
