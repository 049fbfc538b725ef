"""Example snapshots, one builder per state: what the drawing, JSON and app tests are shown."""

import math

from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot import (
    AITHER_SERVICES,
    Agents,
    Capacity,
    Cloud,
    CloudInstance,
    Demand,
    Gpu,
    Llm,
    Mint,
    NextInstance,
    Parallel,
    Pricing,
    Process,
    Service,
    Snapshot,
)
from tokentop.domain.snapshot_engines import Throughput

GIB = 1024**3
PORTS = dict(zip(AITHER_SERVICES, (8001, 8150, 8168, 8103, 8100, 8136, 8206), strict=True))
MODELS = ("qwen3.6-27b", "gemma4-12b", "whisper-v3")
MESSAGES = {
    "idle": "System idle",
    "low": "Low demand",
    "moderate": "Moderate demand",
    "high": "High demand — costs rising",
    "surge": "Surge — near capacity",
    "saturated": "FULL — capacity limit reached",
}


def gpu(index: int, used: float, total: float = 140.4, *, name: str = "NVIDIA H200") -> Gpu:
    """One healthy GPU; sizes in GiB. Utilisation, heat and power follow the fill."""
    fill = used / total
    return Gpu(
        index=index,
        uuid=f"GPU-{index:08x}-0000-4000-8000-000000000000",
        name=name,
        node="gpu-box-01",
        vram_used_bytes=int(used * GIB),
        vram_total_bytes=int(total * GIB),
        utilization=min(1.0, round(fill * 1.08, 2)),
        temperature_c=float(round(31 + 38 * fill)),
        power_w=float(round(76 + 590 * fill)),
        power_limit_w=700.0,
        age_s=0.4,
        processes=(Process(4242 + index, "vllm", "serve", int(used * GIB)),),
    )


def pool(fill: float, count: int = 8) -> tuple[Gpu, ...]:
    """`count` GPUs whose fill averages around `fill`, each a little different."""
    wobble = (0.06, -0.04, 0.02, -0.07, 0.05, 0.0, -0.02, -0.05)
    return tuple(gpu(i, 140.4 * max(0.004, min(0.998, fill + wobble[i % 8]))) for i in range(count))


def services(**states: str) -> tuple[Service, ...]:
    """The seven services; keyword arguments name those that are not online."""
    errors = {
        "offline": "Nobody listens on 127.0.0.1.",
        "backing-off": "Three failures in a minute; trying again in 9 s.",
        "bad-data": "used_mb holds text where a number is needed.",
    }
    reasons: dict[str, FailureKind] = {
        "offline": "refused", "backing-off": "server-error", "bad-data": "bad-data"
    }  # fmt: skip
    rows = []
    for i, name in enumerate(AITHER_SERVICES):
        state = states.get(name, "online")
        good = state in ("online", "stale", "bad-data")
        rows.append(
            Service(
                name,
                "aither",
                f"http://127.0.0.1:{PORTS[name]}",
                state,  # type: ignore[arg-type]
                3.2 + i * 1.7 if good else None,
                {"online": 0.4, "stale": 12.0}.get(state),
                errors.get(state),
                reasons.get(state),
            )
        )
    return (*rows, Service("nvml", "nvml", None, "online", 2.1, 0.4, None))


def online(rows: tuple[Service, ...]) -> tuple[tuple[str, bool], ...]:
    """services_online as the fold would say it."""
    return tuple((s.name, s.state == "online") for s in rows if s.kind == "aither")


def curve(x: float) -> float:
    """The published S-curve, written out here so that the examples lean on nothing."""
    return 1 + 5 / (1 + math.exp(-8 * (x - 0.55)))


def tier_at(utilization: float) -> str:
    """The tier of a utilisation, by the published bounds."""
    if utilization > 0.95:
        return "saturated"
    bounds = ((0.80, "surge"), (0.60, "high"), (0.40, "moderate"), (0.10, "low"))
    return next((name for bound, name in bounds if utilization >= bound), "idle")


def demand(utilization: float) -> Demand:
    """Demand at a utilisation."""
    tier = tier_at(utilization)
    mode = "saturated" if tier == "saturated" else "pressure" if utilization > 0.8 else "normal"
    return Demand(
        memory_pressure=utilization,
        queue_pressure=utilization * 0.6,
        utilization=utilization,
        tier=tier,  # type: ignore[arg-type]
        message=MESSAGES[tier],
        mode=mode,  # type: ignore[arg-type]
        back_pressure=tier == "saturated",
    )


INSTANCES = (
    CloudInstance("c-1", "RTX 4090", "US-East", "running", "qwen3.6-27b", 0.42, True),
    CloudInstance("c-2", "A100 80GB", "EU-North", "starting", "gemma4-12b", 1.19, False),
)


def cloud(count: int) -> Cloud:
    """`count` (0-2) rented instances."""
    rented = INSTANCES[:count]
    active = sum(i.active for i in rented)
    return Cloud(rented, active, sum(i.usd_per_hour or 0.0 for i in rented), 0.4)


def llm(active: int, queued: int, max_slots: int = 48) -> Llm:
    """LLM slots."""
    return Llm(
        active, queued, max_slots, max(0, max_slots - active), MODELS, 0.61, queued > 40,
        False, "genesis", 0.4,
    )  # fmt: skip


def busy(
    utilization: float, active: int, queued: int, *, rented: int = 0, count: int = 8
) -> Snapshot:
    """A whole stack at a utilisation."""
    state = demand(utilization)
    rows = services()
    needed = state.tier in ("surge", "saturated")
    return Snapshot(
        version="0.1.0",
        at="2026-11-21T12:04:31Z",
        host="gpu-box-01",
        interval_s=4.0,
        services_online=online(rows),
        services=rows,
        gpus=pool(utilization - 0.02, count),
        llm=llm(active, queued),
        throughput=Throughput(8410.0, 1284.0, 6.4, 0.212, 0.018),
        demand=state,
        pricing=Pricing(
            multiplier=curve(utilization),
            base_cost_tokens=10.0,
            effective_cost_tokens=0.0,
            tokens_per_usd=5000.0,
        ),
        capacity=Capacity(
            0.95,
            min(1.0, utilization / 0.95),
            needed,
            NextInstance("RTX 4090", 24 * GIB, "US-East", "vast", 0.42, 2100.0, "offer"),
            None,
        ),
        cloud=cloud(rented),
        mint=Mint(1_200_000.0, 843_200.0, 356_800.0, 10.0, "mint"),
        parallel=Parallel(3, 16, 90210),
        agents=Agents(12, 5),
        data_age_s=0.4,
    )


def first_paint() -> Snapshot:
    """Before any source has answered."""
    return Snapshot(version="0.1.0", at="2026-11-21T12:04:27Z", host="gpu-box-01")


def idle() -> Snapshot:
    """Everything answers, nothing happens, a cloud instance is winding down."""
    snap = busy(0.04, 0, 0, rented=1)
    return snap._replace(capacity=snap.capacity._replace(scale_down_in_s=581.0))


def low() -> Snapshot:
    """A quiet afternoon."""
    return busy(0.27, 9, 0)


def moderate() -> Snapshot:
    """Half full."""
    return busy(0.52, 22, 1)


def high() -> Snapshot:
    """Costs are rising."""
    return busy(0.74, 34, 4, rented=1)


def surge() -> Snapshot:
    """Near capacity: the pressure banner, one instance rented and one starting."""
    return busy(0.88, 43, 12, rented=2)


def saturated() -> Snapshot:
    """Full: the queue reaches beyond the slots."""
    return busy(0.99, 48, 55, rented=2)


def stale() -> Snapshot:
    """Every source went silent 47 s ago; the last good data stand."""
    snap = surge()
    rows = services(**dict.fromkeys(AITHER_SERVICES, "stale"))
    return snap._replace(
        services=tuple(s._replace(state="stale", age_s=47.0) for s in rows),
        services_online=tuple((name, False) for name in AITHER_SERVICES),
        gpus=tuple(g._replace(state="stale", age_s=47.0) for g in snap.gpus),
        llm=snap.llm._replace(stale=True, age_s=47.0),
        demand=snap.demand._replace(stale=True),
        cloud=snap.cloud._replace(stale=True, age_s=47.0),
        mint=snap.mint._replace(stale=True),
        parallel=snap.parallel._replace(stale=True),
        agents=snap.agents._replace(stale=True),
        data_age_s=47.0,
    )


def troubled() -> Snapshot:
    """Some sources ail: each says so in its own place, and the rest stands."""
    snap = high()
    rows = services(compute="offline", parallel="backing-off", mint="stale", acta="bad-data")
    gpus = list(snap.gpus)
    gpus[2] = gpus[2]._replace(state="stale", age_s=12.0)
    gpus[4] = gpus[4]._replace(state="suspended", vram_used_bytes=None, utilization=None,
                               temperature_c=None, power_w=None)  # fmt: skip
    gpus[5] = gpus[5]._replace(state="lost", note="the driver lost this GPU")
    gpus[6] = gpus[6]._replace(temperature_c=None, power_w=None, power_limit_w=None)
    gpus[7] = Gpu(
        7, "GPU-7", "NVIDIA H200", "gpu-box-01", state="error", note="driver/library mismatch"
    )
    return snap._replace(
        services=rows,
        services_online=online(rows),
        gpus=tuple(gpus),
        cloud=Cloud(),
        mint=snap.mint._replace(stale=True),
        parallel=Parallel(),
    )


def offline() -> Snapshot:
    """The GPUs answer, none of the seven services does."""
    rows = services(**dict.fromkeys(AITHER_SERVICES, "offline"))
    return Snapshot(
        version="0.1.0",
        at="2026-11-21T12:04:31Z",
        host="gpu-box-01",
        services_online=online(rows),
        services=rows,
        gpus=pool(0.31),
        demand=demand(0.31)._replace(queue_pressure=None),
        pricing=Pricing(curve(0.31)),
        capacity=Capacity(
            0.95,
            0.31 / 0.95,
            False,
            NextInstance("default", None, None, None, 0.8, 4000.0, "default"),
        ),
        data_age_s=0.4,
    )


def empty() -> Snapshot:
    """An empty machine: no GPU, no service, and all have said so."""
    rows = services(**dict.fromkeys(AITHER_SERVICES, "offline"))[:-1]
    nvml = Service("nvml", "nvml", None, "offline", None, None, "No NVIDIA driver was found.")
    return Snapshot(
        version="0.1.0", at="2026-11-21T12:04:31Z", host="laptop", services=(*rows, nvml)
    )


def no_gpu() -> Snapshot:
    """The stack answers, but no GPU is known to anyone."""
    return moderate()._replace(gpus=())


def gpus(count: int) -> Snapshot:
    """A stack with `count` GPUs."""
    return busy(0.74, 34, 4, count=count)


def mig() -> Snapshot:
    """An A100 cut into instances, a GB10 with shared memory, and a plain card."""
    parent = gpu(0, 52.0, 80.0, name="NVIDIA A100-SXM4-80GB")
    children = tuple(
        gpu(i, used, 19.6, name=f"NVIDIA A100-SXM4-80GB MIG 2g.{size}gb")._replace(
            uuid=f"MIG-{i}", mig=parent.uuid, temperature_c=None, power_w=None, power_limit_w=None
        )
        for i, (used, size) in enumerate(((18.2, 20), (11.0, 20), (0.1, 20)))
    )
    shared = Gpu(1, "GPU-1", "NVIDIA GB10", utilization=0.42, temperature_c=51.0, power_w=38.0,
                 memory_shared=True, age_s=0.4)  # fmt: skip
    card = gpu(2, 18.2, 24.0, name="NVIDIA GeForce RTX 4090")._replace(power_limit_w=450.0)
    return moderate()._replace(gpus=(parent, *children, shared, card))


def hostile() -> Snapshot:
    """Names that attack the terminal, the markup, the direction and the width."""
    evil = "\x1b[31;1mred\x1b]0;title\x07 [bold]x[/bold] \u202egnp.exe\u200b " + "漢字" * 3000
    snap = high()
    return snap._replace(
        host=evil,
        gpus=tuple(g._replace(name=evil, node=evil, state="ok", note=evil) for g in snap.gpus),
        llm=snap.llm._replace(models=(evil, "a\nb", "\x00", evil)),
        cloud=Cloud((CloudInstance(evil, evil, evil, evil, evil, 0.42, True),), 1, 0.42, 0.4),
        services=tuple(s._replace(error=evil) for s in snap.services),
        demand=snap.demand._replace(message=evil),
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
    "troubled": troubled,
    "offline": offline,
    "empty": empty,
    "no-gpu": no_gpu,
    "one-gpu": lambda: gpus(1),
    "64-gpus": lambda: gpus(64),
    "mig": mig,
    "hostile": hostile,
}
