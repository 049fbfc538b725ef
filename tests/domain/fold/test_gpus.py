"""One list of GPUs out of three views of them."""

from typing import Any

import pytest

from tests.domain.scenario import NOW, Scenario
from tokentop.domain.readings import DeviceReading, GpusReading
from tokentop.domain.snapshot import Gpu, Process

ACCEL, COMPUTE = "accel/gpu_metrics", "compute/gpu_devices"


def device(index: int | None = 0, uuid: str | None = "GPU-a", **values: Any) -> DeviceReading:
    return DeviceReading(index, uuid)._replace(**values)


def devices(*readings: DeviceReading) -> GpusReading:
    return GpusReading(readings)


def test_a_gpu_seen_three_times_is_listed_once_and_nvml_wins() -> None:
    """Matched by UUID, however it is spelt; what NVML would not say comes from the next source."""
    scene = Scenario().says(
        COMPUTE, devices(device(uuid="a", utilization=0.1, power_w=1.0, node="x"))
    )
    scene.says(ACCEL, devices(device(uuid="gpu-A", utilization=0.2, temperature_c=50.0)))
    scene.says("nvml", devices(device(utilization=0.3, processes=(Process(7),))), age=0.5)
    assert scene.fold().gpus == (
        Gpu(
            0, "GPU-a", node="box", utilization=0.3, temperature_c=50.0, power_w=1.0, age_s=0.5,
            processes=(Process(7),),
        ),
    )  # fmt: skip


def test_accel_wins_over_compute() -> None:
    """It is the fresher of the two by design."""
    scene = Scenario().says(COMPUTE, devices(device(utilization=0.1)))
    (gpu,) = scene.says(ACCEL, devices(device(utilization=0.2))).fold().gpus
    assert (gpu.utilization, gpu.source) == (0.2, "accel")


def test_a_source_that_answers_wins_over_a_better_one_that_hangs() -> None:
    """NVML stalled: Accel's figures are shown, NVML's only where no other source has them."""
    scene = Scenario().silent("nvml", devices(device(utilization=0.3, power_w=70.0)))
    (gpu,) = scene.says(ACCEL, devices(device(utilization=0.2))).fold().gpus
    assert (gpu.utilization, gpu.source, gpu.state, gpu.power_w) == (0.2, "accel", "ok", 70.0)


def test_a_silent_source_leaves_its_gpus_stale_with_their_age() -> None:
    """Dimmed, not gone."""
    (gpu,) = Scenario().silent("nvml", devices(device(utilization=0.3)), age=42.0).fold().gpus
    assert (gpu.utilization, gpu.state, gpu.age_s) == (0.3, "stale", 42.0)


def test_a_lost_gpu_shows_its_last_figures_with_their_own_age() -> None:
    """Accel's figures do not revive it: the driver of this host says it is gone."""
    scene = Scenario().says("nvml", devices(device(utilization=0.9)), age=30.0)
    scene.says("nvml", devices(device(state="lost", note="fell off the bus")))
    (gpu,) = scene.says(ACCEL, devices(device(utilization=0.1, power_w=5.0))).fold().gpus
    assert (gpu.state, gpu.note, gpu.utilization) == ("lost", "fell off the bus", 0.9)
    assert (gpu.age_s, gpu.power_w) == (30.0, None)


def test_a_lost_gpu_keeps_its_processes() -> None:
    """What ran on it when it was last read, with the age of its figures."""
    scene = Scenario().says("nvml", devices(device(processes=(Process(7),))), age=30.0)
    (gpu,) = scene.says("nvml", devices(device(state="lost"))).fold().gpus
    assert (gpu.processes, gpu.age_s) == ((Process(7),), 30.0)


def test_losing_every_gpu_is_no_good_data() -> None:
    """The age of the data is that of the last figures, not of the last answer."""
    scene = Scenario().says("nvml", devices(device(utilization=0.5)), age=30.0)
    scene.says("nvml", devices(device(state="lost", note="Xid 79")))
    snapshot = scene.fold()
    assert snapshot.data_age_s == 30.0
    assert snapshot.gpus[0].state == "lost"
    driver = scene.service("nvml")
    assert (driver.state, driver.reason, driver.error) == (
        "stale", "gpu-lost", "the GPU fails: Xid 79",
    )  # fmt: skip


@pytest.mark.parametrize("seconds", [1, 4, 8, 12, 19])
def test_a_slow_driver_does_not_flicker(seconds: int) -> None:
    """Polled every 4 s and answering after 8: its figures are of now until the next are due."""
    scene = Scenario()
    scene.cache.record("nvml", devices(device(utilization=0.5)), NOW - seconds, 8.0)
    (gpu,) = scene.fold().gpus
    assert gpu.state == "ok"
    driver = scene.service("nvml")
    assert driver.state == "online"
    assert driver.error is not None
    assert driver.error.startswith("slow: reading the GPUs takes 8.0 s")


def test_a_slow_driver_that_fell_silent_is_stale() -> None:
    """Two of its slow answers are waited for, and no more."""
    scene = Scenario()
    scene.cache.record("nvml", devices(device(utilization=0.5)), NOW - 21, 8.0)
    assert scene.fold().gpus[0].state == "stale"


def test_mig_instances_stand_in_the_drivers_order() -> None:
    """By slot, whatever their UUIDs and GPU instances are; both are in the snapshot."""
    parts = [
        device(0, f"MIG-{name}", mig="GPU-a", mig_gi=gi, mig_ci=0, mig_slot=slot)
        for slot, (name, gi) in enumerate((("z", 9), ("b", 3), ("k", 5)))
    ]
    _, *instances = Scenario().says("nvml", devices(*reversed(parts), device())).fold().gpus
    assert [(gpu.mig_slot, gpu.mig_gi, gpu.uuid) for gpu in instances] == [
        (0, 9, "MIG-z"), (1, 3, "MIG-b"), (2, 5, "MIG-k"),
    ]  # fmt: skip


def test_a_suspended_gpu_stays_suspended() -> None:
    """Its figures are unknown, its name is not."""
    scene = Scenario().says("nvml", devices(device(state="suspended", note="asleep")))
    (gpu,) = scene.says(ACCEL, devices(device(name="RTX", power_w=5.0))).fold().gpus
    assert (gpu.state, gpu.name, gpu.power_w) == ("suspended", "RTX", None)


def test_a_unified_memory_gpu_has_no_vram_whatever_others_say() -> None:
    """It shares the host's memory; a framebuffer in another listing is made up."""
    scene = Scenario().says("nvml", devices(device(memory_shared=True)))
    scene.says(ACCEL, devices(device(vram_used_bytes=1, vram_total_bytes=2)))
    (gpu,) = scene.fold().gpus
    assert (gpu.vram_used_bytes, gpu.vram_total_bytes, gpu.memory_shared) == (None, None, True)


@pytest.mark.parametrize(
    ("nvml", "accel", "listed"),
    [
        (device(), device(uuid=None), 1),
        (device(), device(uuid=None, node="BOX"), 1),
        (device(), device(uuid=None, node="elsewhere"), 2),
        (device(), device(index=1, uuid=None), 2),
        (device(), device(index=None, uuid=None), 2),
        (device(), device(uuid="GPU-b"), 2),
        (device(name="NVIDIA H200"), device(uuid=None, name="H200"), 1),
        (device(name="NVIDIA H200"), device(uuid=None, name="RTX 4090"), 2),
    ],
)
def test_without_a_uuid_the_place_identifies_a_gpu_unless_something_contradicts_it(
    nvml: DeviceReading, accel: DeviceReading, listed: int
) -> None:
    """Counting one GPU twice and merging two into one are both wrong pressures."""
    scene = Scenario().says("nvml", devices(nvml)).says(ACCEL, devices(accel))
    assert len(scene.fold().gpus) == listed


def test_one_source_never_merges_its_own_gpus_by_place() -> None:
    """A service that calls every GPU 0 still has as many as it lists."""
    scene = Scenario().says(ACCEL, devices(device(uuid=None), device(uuid=None), device(uuid=None)))
    assert len(scene.fold().gpus) == 3


def test_a_uuid_listed_twice_is_one_gpu() -> None:
    """The first row counts."""
    scene = Scenario().says(ACCEL, devices(device(power_w=1.0), device(index=1, power_w=2.0)))
    (gpu,) = scene.fold().gpus
    assert gpu.power_w == 1.0


def test_mig_instances_follow_their_parent() -> None:
    """Whatever the order they came in; orphans come last."""
    scene = Scenario().says(
        "nvml",
        devices(
            device(1, "MIG-b1", mig="GPU-b"),
            device(0, "MIG-x", mig="GPU-gone"),
            device(1, "GPU-b"),
            device(0, "MIG-b0", mig="gpu-b"),
            device(0, "GPU-a"),
        ),
    )
    order = [gpu.uuid for gpu in scene.fold().gpus]
    assert order == ["GPU-a", "GPU-b", "MIG-b0", "MIG-b1", "MIG-x"]


def test_this_hosts_gpus_come_first() -> None:
    """Then the other nodes by name, each by index; a missing index last."""
    scene = Scenario().says("nvml", devices(device(0, "GPU-n")))
    scene.says(
        COMPUTE,
        devices(
            device(None, "GPU-3", node="b"),
            device(1, "GPU-2", node="b"),
            device(0, "GPU-1", node="b"),
            device(0, "GPU-0", node="a"),
        ),
    )
    assert [g.uuid for g in scene.fold().gpus] == ["GPU-n", "GPU-0", "GPU-1", "GPU-2", "GPU-3"]


def test_the_order_does_not_depend_on_which_source_answers() -> None:
    """Rows keep their places when a source falls silent."""
    pool = devices(device(0, "GPU-a", node="box"), device(1, "GPU-b", node="box"))
    everyone = Scenario().says("nvml", pool).says(ACCEL, devices(*reversed(pool.devices)))
    accel_only = Scenario().silent("nvml", pool).says(ACCEL, devices(*reversed(pool.devices)))
    for scene in (everyone, accel_only):
        assert [gpu.uuid for gpu in scene.fold().gpus] == ["GPU-a", "GPU-b"]


def test_used_never_exceeds_total_even_when_two_sources_supply_them() -> None:
    """Each alone was sound; together they must be as well."""
    scene = Scenario().says("nvml", devices(device(vram_total_bytes=10)))
    (gpu,) = scene.says(ACCEL, devices(device(vram_used_bytes=11))).fold().gpus
    assert (gpu.vram_used_bytes, gpu.vram_total_bytes) == (10, 10)


def test_a_driver_that_is_not_asked_contributes_nothing() -> None:
    """gpus = false in the configuration."""
    assert Scenario(nvml_enabled=False).says("nvml", devices(device())).fold().gpus == ()
