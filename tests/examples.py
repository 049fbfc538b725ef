"""Example snapshots, one builder per state: what the drawing, JSON and app tests are shown.

All but the last rows of this file are of a box with the seven services; see also engine_examples.
"""

import math
from typing import Any

from tests.box import GIB, NO_DRIVER, Box, device, process, server_error
from tests.serving import NOW
from tokentop.domain.policy import Policy, PricingPolicy
from tokentop.domain.readings import (
    AccelReading,
    AgentsReading,
    DeviceReading,
    Failure,
    GpusReading,
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
    PoolReading,
    PressureReading,
    QueueReading,
    RatesReading,
    Reading,
    StreamsReading,
    VramReading,
)
from tokentop.domain.snapshot import AITHER_SERVICES, Gpu, Snapshot

MODELS = ("qwen3.6-27b", "gemma4-12b", "whisper-v3")
INSTANCES = (
    InstanceReading("c-1", "RTX 4090", "US-East", "running", "qwen3.6-27b", 0.42),
    InstanceReading("c-2", "A100 80GB", "EU-North", "starting", "gemma4-12b", 1.19),
)
OFFERS = OffersReading(
    (
        Offer("o-1", "H200 141GB", 141 * GIB, "US-East", "vast", 2.49),
        Offer("o-2", "RTX 4090", 24 * GIB, "US-East", "vast", 0.42),  # too small for an H200's work
    )
)


def curve(x: float) -> float:
    """The published S-curve, written out here so that what is expected leans on nothing."""
    return 1 + 5 / (1 + math.exp(-8 * (x - 0.55)))


def served(index: int, used: float) -> DeviceReading:
    """An H200 with one vLLM worker on it; GiB."""
    return device(index, used, 140.4, process(4242 + index, "vllm", "serve", used))


def gpu(index: int, used: float) -> Gpu:
    """The same as it is shown."""
    return Box().gpus(served(index, used)).snapshot().gpus[0]


def pool(fill: float, count: int = 8) -> tuple[DeviceReading, ...]:
    """`count` GPUs whose fill averages around `fill`, each a little different."""
    wobble = (0.06, -0.04, 0.02, -0.07, 0.05, 0.0, -0.02, -0.05)
    fills = (max(0.004, min(0.998, fill + wobble[i % 8])) for i in range(count))
    return tuple(served(i, 140.4 * share) for i, share in enumerate(fills))


def stack(
    pressure: float,
    active: int,
    queued: int,
    *,
    rented: int = 0,
    gpus: int = 8,
    without: tuple[str, ...] = (),
    **given: Any,
) -> Box:
    """A box of the seven services: ACTA's `pressure`, `active` of 48 slots busy, `queued` waiting.

    Those named in `without` have not answered yet, "nvml" for the driver.
    """
    queue = QueueReading(queued, active, 48, MODELS, queued > 40)
    answers: dict[str, Reading] = {
        "nvml": GpusReading(pool(pressure - 0.02, gpus)),
        "genesis/llm_queue": queue,
        "genesis/agents": AgentsReading(12, 5),
        "genesis/llm_slots": QueueReading(active=active, max_slots=48, models=MODELS),
        "microscheduler/queue_stats": queue._replace(models=None),
        "microscheduler/capacity": QueueReading(active=active, max_slots=48),
        "microscheduler/vram_status": VramReading(active_agents=5),
        "compute/gpu_devices": GpusReading(),
        "compute/cloud_instances": InstancesReading(INSTANCES[:rented]),
        "compute/cloud_offers": OFFERS,
        "accel/gpu_metrics": GpusReading(),
        "accel/status": AccelReading(),
        "parallel/streams_stats": StreamsReading(3, 16, 90210),
        "mint/mint_pool": PoolReading(1_200_000.0, 843_200.0, 356_800.0),
        "mint/mint_rates": RatesReading(10.0, 5000.0, 4000.0),
        "acta/compute_pressure": PressureReading(pressure),
    }
    box = Box(priced=True, configured=True, **given)
    for key, reading in answers.items():
        if key.partition("/")[0] not in without:
            box.answers(key, reading)
    return box


def busy(pressure: float, active: int, queued: int) -> Snapshot:
    """Such a box as it is shown."""
    return stack(pressure, active, queued).snapshot()


def first_paint() -> Snapshot:
    """Before any source has answered."""
    return Box().snapshot()


def idle() -> Snapshot:
    """Nothing happens, and has not for 19 s; a rented instance will go after ten minutes of it."""
    return stack(0.04, 0, 0, rented=1, below_since=NOW - 19.0).snapshot()


def paying() -> Snapshot:
    """A quiet afternoon on which requests cost what they cost."""
    real = Policy(pricing=PricingPolicy(everything_free=False))
    return stack(0.27, 9, 0, policy=real).snapshot()


def low() -> Snapshot:
    """A quiet afternoon."""
    return busy(0.27, 9, 0)


def moderate() -> Snapshot:
    """Half full."""
    return busy(0.52, 22, 1)


def high() -> Snapshot:
    """Costs are rising."""
    return stack(0.74, 34, 4, rented=1).snapshot()


def surge() -> Snapshot:
    """Near capacity: the pressure banner, one instance rented and one starting."""
    return stack(0.88, 43, 12, rented=2).snapshot()


def saturated() -> Snapshot:
    """Full: more requests wait than there are slots, and the scheduler refuses new ones."""
    return stack(0.99, 48, 55, rented=2).snapshot()


def stale() -> Snapshot:
    """The same as surge, but 47 s ago every service but Mint went silent; the driver answers."""
    old = [name for name in AITHER_SERVICES if name != "mint"]
    return stack(0.88, 43, 12, rented=2).silent(*old, age_s=47.0).snapshot()


def silent() -> Snapshot:
    """The same as surge, but every source went silent 47 s ago."""
    return stack(0.88, 43, 12, rented=2).silent(age_s=47.0).snapshot()


def troubled() -> Snapshot:
    """Some sources ail: each says so in its own place, and the rest stands."""
    first, second, third, fourth, *others = pool(0.72)
    box = stack(0.74, 34, 4, without=("compute", "parallel"))
    box.down("compute").down("parallel", server_error("parallel"), often=True)
    # The third GPU is passed to a virtual machine: accel alone lists it, and went silent.
    box.answers("accel/gpu_metrics", GpusReading((third,))).silent("accel", "mint", age_s=12.0)
    box.gpus(first, second, fourth, *others, age_s=12.0)
    box.gpus(first, second, fourth, *_ailing(*others))
    bad = PressureReading(0.74, bad=("multiplier",))
    return box.answers("acta/compute_pressure", bad).snapshot()


def _ailing(*healthy: DeviceReading) -> tuple[DeviceReading, ...]:
    """Four GPUs: suspended, lost, without sensors, and one that cannot be read at all."""
    one, two, three, four = healthy
    quiet = {"vram_used_bytes": None, "utilization": None, "temperature_c": None, "power_w": None,
             "processes": None}  # fmt: skip
    return (
        one._replace(state="suspended", note="suspended by runtime power management", **quiet),
        two._replace(state="lost", note="fell off the bus: see dmesg for Xid", **quiet),
        three._replace(temperature_c=None, power_w=None, power_limit_w=None),
        DeviceReading(four.index, four.uuid, four.name, state="error", note="the driver timed out"),
    )


def driver_silent() -> Snapshot:
    """All services answer, Accel lists the GPUs, and only the driver of this host hangs."""
    box = stack(0.74, 34, 4, rented=1).answers("accel/gpu_metrics", GpusReading(pool(0.72)))
    return box.silent("nvml", age_s=47.0).snapshot()


def driver_slow() -> Snapshot:
    """It needs 6.4 s to answer; one of its GPUs has not been read yet, another one hangs."""
    first, second, third, fourth = pool(0.4, 4)
    unread = DeviceReading(second.index, name="NVIDIA GPU 1", state="stale", note="not read yet")
    words = "has not answered for 21 s (nvmlDeviceGetMemoryInfo): see dmesg for Xid messages"
    hung = DeviceReading(fourth.index, fourth.uuid, fourth.name, state="lost", note=words)
    box = Box().gpus(first, fourth, age_s=21.0)
    return box.gpus(first, unread, third, hung, latency_s=6.4).snapshot()


def driver_lost() -> Snapshot:
    """Nothing but GPUs, and all of them fell off the bus 47 s ago."""
    train = process(5151, "python train.py --epochs 90", "mira", 61.0)
    cards = (device(0, 62.3, 140.4, train), *pool(0.31)[1:4])
    lost = (
        DeviceReading(d.index, d.uuid, d.name, state="lost", note="fell off the bus: see dmesg")
        for d in cards
    )
    return Box().gpus(*cards, age_s=47.0).gpus(*lost).snapshot()


def offline() -> Snapshot:
    """The GPUs answer, none of the seven services does, although they are configured."""
    box = Box(configured=True).gpus(*pool(0.31))
    for name in AITHER_SERVICES:
        box.down(name)
    return box.snapshot()


def gpus_only() -> Snapshot:
    """Four GPUs with their processes, and nothing that serves."""
    train = process(5151, "python train.py --epochs 90", "mira", 61.0)
    cards = (device(0, 62.3, 140.4, train), *pool(0.31)[1:4])
    box = Box().gpus(*cards)
    for name in AITHER_SERVICES:
        box.down(name)
    return box.snapshot()


def empty() -> Snapshot:
    """An empty machine: no GPU, no service, and all have been asked."""
    box = Box("laptop").answers("nvml", NO_DRIVER)
    for name in AITHER_SERVICES:
        box.down(name)
    return box.snapshot()


def no_gpu() -> Snapshot:
    """The stack answers, but there is no driver and no service lists a GPU."""
    return stack(0.52, 22, 1, without=("nvml",)).answers("nvml", NO_DRIVER).snapshot()


def gpus(count: int) -> Snapshot:
    """A stack with `count` GPUs."""
    return stack(0.74, 34, 4, rented=1, gpus=count).snapshot()


def mig() -> Snapshot:
    """An A100 cut into instances, a GB10 with shared memory, and a plain card."""
    parent = device(0, 52.0, 80.0, name="NVIDIA A100-SXM4-80GB", utilization=None)
    instances = tuple(
        DeviceReading(
            index=0,
            uuid=f"MIG-{i}",
            name="NVIDIA A100-SXM4-80GB MIG 2g.20gb",
            vram_used_bytes=int(used * GIB),
            vram_total_bytes=int(19.6 * GIB),
            mig=parent.uuid,
            processes=(process(4242 + i, "vllm", "serve", used),),
        )
        for i, used in enumerate((18.2, 11.0, 0.1))
    )
    shared = DeviceReading(1, "GPU-1", "NVIDIA GB10", utilization=0.42, temperature_c=51.0,
                           power_w=38.0, memory_shared=True, processes=())  # fmt: skip
    card = device(2, 18.2, 24.0, name="NVIDIA GeForce RTX 4090", power_w=312.0, power_limit_w=450.0)
    return stack(0.52, 22, 1).gpus(parent, *instances, shared, card).snapshot()


def hostile() -> Snapshot:
    """Names that attack the terminal, the markup, the direction and the width."""
    evil = "\x1b[31;1mred\x1b]0;title\x07 [bold]x[/bold] \u202egnp.exe\u200b " + "漢字" * 3000
    box = stack(0.74, 34, 4, host=evil)
    box.gpus(*(g._replace(name=evil, node=evil, note=evil) for g in pool(0.72)))
    queue = QueueReading(4, 34, 48, (evil, "a\nb", "\x00", evil))
    instance = InstanceReading(evil, evil, evil, evil, evil, 0.42)
    box.answers("genesis/llm_queue", queue).answers("genesis/llm_slots", queue)
    box.answers("compute/cloud_instances", InstancesReading((instance,)))
    return (
        box.down("accel", Failure("refused", evil)).down("mint", Failure("http", evil)).snapshot()
    )


STATES = {
    "first-paint": first_paint,
    "idle": idle,
    "low": low,
    "moderate": moderate,
    "high": high,
    "surge": surge,
    "saturated": saturated,
    "stale": stale,
    "silent": silent,
    "troubled": troubled,
    "offline": offline,
    "gpus-only": gpus_only,
    "empty": empty,
    "no-gpu": no_gpu,
    "one-gpu": lambda: gpus(1),
    "64-gpus": lambda: gpus(64),
    "mig": mig,
    "hostile": hostile,
}
