"""The last-good cache: what stays when an answer is bad, late or missing."""

import pytest

from tokentop.domain.fold.last_good import LastGoodCache, bad_fields, merged
from tokentop.domain.readings import (
    DeviceReading,
    Failure,
    GpusReading,
    InstanceReading,
    InstancesReading,
    PressureReading,
    QueueReading,
    Reading,
)
from tokentop.domain.snapshot import Process

REFUSED = Failure("refused", "nobody listens")


def test_before_the_first_poll_nothing_is_held() -> None:
    """An unknown key is an endpoint that was never asked."""
    held = LastGoodCache().held("genesis/llm_queue")
    assert (held.good, held.outcome, held.backing_off) == (None, None, False)


def test_a_failure_keeps_the_last_good_reading_and_its_time() -> None:
    """The outcome and the poll's time move on; the reading and its age do not."""
    ledger = LastGoodCache()
    ledger.record("k", QueueReading(queued=3), 10.0, 0.1)
    ledger.record("k", REFUSED, 14.0, None)
    held = ledger.held("k")
    assert (held.good, held.good_at) == (QueueReading(queued=3), 10.0)
    assert (held.outcome, held.latency_s) == (REFUSED, None)


def test_backing_off_changes_nothing_else() -> None:
    """The breaker's state is noted beside the reading."""
    ledger = LastGoodCache()
    ledger.record("k", QueueReading(queued=3), 10.0, 0.1)
    before = ledger.held("k")
    ledger.set_backing_off("k", True)
    assert ledger.held("k") == before._replace(backing_off=True)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (  # a bad field keeps its last good value, a missing one does not
            QueueReading(queued=3, active=2),
            QueueReading(bad=("queued",)),
            QueueReading(queued=3, bad=("queued",)),
        ),
        (  # a clamped field has its new value
            PressureReading(pressure=0.4),
            PressureReading(pressure=1.0, bad=("pressure",)),
            PressureReading(pressure=1.0, bad=("pressure",)),
        ),
        (  # a clamped zero is a value too
            QueueReading(queued=7, active=1),
            QueueReading(queued=0, active=1, bad=("queued",)),
            QueueReading(queued=0, active=1, bad=("queued",)),
        ),
        (  # nothing good was ever held
            None,
            QueueReading(active=1, bad=("queued",)),
            QueueReading(active=1, bad=("queued",)),
        ),
        (  # devices are matched by UUID, whatever their order and spelling
            GpusReading((DeviceReading(0, "GPU-a", power_w=1.0), DeviceReading(1, "GPU-b"))),
            GpusReading((DeviceReading(uuid="GPU-B"), DeviceReading(uuid="A", bad=("power_w",)))),
            GpusReading(
                (
                    DeviceReading(uuid="GPU-B"),
                    DeviceReading(uuid="A", power_w=1.0, bad=("power_w",)),
                )
            ),
        ),
        (  # or by index where there is no UUID
            GpusReading((DeviceReading(0, power_w=1.0), DeviceReading(1, power_w=2.0))),
            GpusReading((DeviceReading(1, bad=("power_w",)),)),
            GpusReading((DeviceReading(1, power_w=2.0, bad=("power_w",)),)),
        ),
        (  # another GPU in the same slot inherits nothing
            GpusReading((DeviceReading(0, "GPU-a", power_w=1.0),)),
            GpusReading((DeviceReading(0, "GPU-b", bad=("power_w",)),)),
            GpusReading((DeviceReading(0, "GPU-b", bad=("power_w",)),)),
        ),
        (  # where the name itself is unusable, the place decides
            GpusReading((DeviceReading(uuid="GPU-a"), DeviceReading(uuid="GPU-b"))),
            GpusReading((DeviceReading(uuid="GPU-a"), DeviceReading(bad=("uuid",)))),
            GpusReading((DeviceReading(uuid="GPU-a"), DeviceReading(uuid="GPU-b", bad=("uuid",)))),
        ),
        (
            InstancesReading((InstanceReading("i", usd_per_hour=0.4),)),
            InstancesReading(
                (InstanceReading("j"), InstanceReading("i", bad=("usd_per_hour",))),
            ),
            InstancesReading(
                (
                    InstanceReading("j"),
                    InstanceReading("i", usd_per_hour=0.4, bad=("usd_per_hour",)),
                ),
            ),
        ),
    ],
)
def test_bad_fields_keep_their_last_good_value(
    old: Reading | None, new: Reading, kept: Reading
) -> None:
    """Field by field, in readings and in the items of their lists."""
    assert merged(new, old) == kept


def test_a_bad_value_survives_any_number_of_bad_polls() -> None:
    """The last good value is taken from what is held, not from the poll before."""
    ledger = LastGoodCache()
    ledger.record("k", QueueReading(queued=3, active=1), 0.0, None)
    for now in range(1, 5):
        ledger.record("k", QueueReading(active=now, bad=("queued",)), float(now), None)
    assert ledger.held("k").good == QueueReading(queued=3, active=4, bad=("queued",))


def test_an_answer_without_one_usable_field_is_no_answer() -> None:
    """It would otherwise make old values look fresh."""
    ledger = LastGoodCache()
    ledger.record("k", QueueReading(queued=3), 0.0, None)
    ledger.record("k", QueueReading(bad=("queued", "active")), 4.0, None)
    held = ledger.held("k")
    assert held.outcome == Failure("bad-data", "nothing usable in queued, active", True)
    assert held.good_at == 0.0


def test_a_lost_gpu_keeps_its_figures_and_the_time_they_are_from() -> None:
    """The driver still answers, so only this device grows old."""
    ledger = LastGoodCache()
    alive = DeviceReading(0, "GPU-a", "H200", vram_used_bytes=5, vram_total_bytes=9, power_w=70.0)
    other = DeviceReading(1, "GPU-b")
    ledger.record("nvml", GpusReading((alive, other)), 10.0, None)
    for now in (14.0, 18.0):
        lost = DeviceReading(0, "GPU-a", state="lost", note="fell off the bus")
        ledger.record("nvml", GpusReading((lost, other)), now, None)
    held = ledger.held("nvml")
    assert held.good == GpusReading((alive._replace(state="lost", note=lost.note), other))
    assert set(held.seen) == {("uuid a", 10.0), ("uuid b", 18.0)}


def test_a_reading_in_which_every_gpu_is_lost_is_no_good_one() -> None:
    """The driver answers, but nothing of what it says is of now: the age goes on growing."""
    ledger = LastGoodCache()
    alive = DeviceReading(0, "GPU-a", vram_used_bytes=5, processes=(Process(7),))
    ledger.record("nvml", GpusReading((alive,)), 10.0, None)
    for now in (14.0, 18.0):
        lost = DeviceReading(0, "GPU-a", state="lost", note="fell off the bus")
        ledger.record("nvml", GpusReading((lost,)), now, None)
    held = ledger.held("nvml")
    assert (held.good_at, dict(held.seen)) == (10.0, {"uuid a": 10.0})
    assert held.outcome == Failure("gpu-lost", "the GPU fails: fell off the bus")
    assert isinstance(held.good, GpusReading)
    assert held.good.devices[0].processes == (Process(7),)


def test_one_that_sleeps_is_not_lost() -> None:
    """Where one GPU is lost and the other asleep the driver is well."""
    ledger = LastGoodCache()
    pair = (DeviceReading(0, "GPU-a", state="lost"), DeviceReading(1, state="suspended"))
    ledger.record("nvml", GpusReading(pair), 14.0, None)
    assert (ledger.held("nvml").outcome, ledger.held("nvml").good_at) == ("ok", 14.0)


def test_a_reading_in_parts_has_the_age_of_each_gpu() -> None:
    """What came with this answer is new, what was read 6 s before it is 6 s old."""
    ledger = LastGoodCache()
    parts = (
        DeviceReading(0, "GPU-a", age_s=6.0),
        DeviceReading(1, "GPU-b", age_s=1.0),
        DeviceReading(2, state="stale", note="not read yet"),
    )
    ledger.record("nvml", GpusReading(parts), 20.0, 8.0)
    held = ledger.held("nvml")
    assert dict(held.seen) == {"uuid a": 14.0, "uuid b": 19.0}
    assert (held.outcome, held.good_at) == ("ok", 19.0)


def test_mig_instances_are_told_apart_by_their_slot() -> None:
    """Two instances of one GPU without UUIDs keep their own figures."""
    ledger = LastGoodCache()
    parts = [
        DeviceReading(0, mig="GPU-a", mig_slot=slot, vram_used_bytes=used)
        for slot, used in enumerate((5, 7))
    ]
    ledger.record("nvml", GpusReading(tuple(parts)), 10.0, None)
    lost = (DeviceReading(0, mig="GPU-a", mig_slot=slot, state="lost") for slot in (0, 1))
    ledger.record("nvml", GpusReading(tuple(lost)), 14.0, None)
    good = ledger.held("nvml").good
    assert isinstance(good, GpusReading)
    assert [device.vram_used_bytes for device in good.devices] == [5, 7]


def test_a_suspended_gpu_keeps_its_name_but_no_figures() -> None:
    """Its power and VRAM while it sleeps are unknown; its identity is not."""
    ledger = LastGoodCache()
    awake = DeviceReading(0, "GPU-a", "RTX", vram_used_bytes=5, vram_total_bytes=9, power_w=70.0)
    ledger.record("nvml", GpusReading((awake,)), 10.0, None)
    ledger.record("nvml", GpusReading((DeviceReading(0, state="suspended"),)), 14.0, None)
    assert ledger.held("nvml").good == GpusReading(
        (DeviceReading(0, "GPU-a", "RTX", vram_total_bytes=9, state="suspended"),)
    )


def test_bad_fields_of_items_are_reported_once() -> None:
    """Sixty-four GPUs with the same fault make one sentence, not sixty-four."""
    devices = tuple(DeviceReading(i, bad=("power_w",)) for i in range(64))
    assert bad_fields(GpusReading(devices, bad=("devices",))) == ("devices", "power_w")


def test_a_lost_gpu_keeps_that_its_memory_is_shared() -> None:
    """False is a value like any other: a lost GPU's own reading cannot know it."""
    cache = LastGoodCache()
    known = DeviceReading(0, "GPU-a", memory_shared=True, vram_total_bytes=100)
    cache.record("nvml", GpusReading((known, DeviceReading(1, "GPU-b"))), 1.0, 0.1)
    lost = DeviceReading(0, "GPU-a", state="lost")
    cache.record("nvml", GpusReading((lost, DeviceReading(1, "GPU-b"))), 2.0, 0.1)
    good = cache.held("nvml").good
    assert isinstance(good, GpusReading)
    assert (good.devices[0].memory_shared, good.devices[0].vram_total_bytes) == (True, 100)
