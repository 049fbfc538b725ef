"""Example snapshots with engines, one builder per state: boxes, fleets, costs, troubles."""

from tests import examples
from tests.examples import GIB
from tokentop.domain.snapshot import (
    AITHER_SERVICES,
    Demand,
    Gpu,
    Llm,
    Pricing,
    Process,
    Service,
    Snapshot,
)
from tokentop.domain.snapshot_engines import (
    Cost,
    CostInput,
    Engine,
    Explanation,
    Finished,
    Spend,
    Throughput,
)

QWEN = Engine(
    "vllm@127.0.0.1:8000", "vllm", "http://127.0.0.1:8000", "0.11.2", "qwen3.6-27b",
    ("qwen3.6-27b",), 26, 0, 48, "reported", 0.61, 8410.0, 1284.0, 0.212, 0.018, 3,
    Finished(90210, 1204, 31, 2), "online", 0.4, None, 0.48, 0.032, 6.4, 0.71, 0, 0.031,
    False, False, False, None, None, 3.1, pids=(4242, 4243, 4244, 4245),
    vram_bytes=512 * GIB,
)  # fmt: skip
GEMMA = Engine(
    "sglang@127.0.0.1:30000", "sglang", "http://127.0.0.1:30000", "0.5.4", "gemma4-12b",
    ("gemma4-12b",), 12, 7, 16, "derived", 0.88, 2100.0, 402.0, 0.341, 0.026, 0,
    Finished(1204, 12, 0, 0), "online", 0.4, None, 1.2, 0.061, 2.1, 0.35, 0, 0.010,
    False, True, False, pids=(5151,), vram_bytes=122 * GIB,
)  # fmt: skip
LLAMA = Engine(
    "llamacpp@127.0.0.1:8080", "llamacpp", "http://127.0.0.1:8080", "b7100", "whisper-v3",
    ("whisper-v3",), 1, 0, None, None, None, 80.0, 61.0, None, None, None, Finished(),
    "online", 0.4, pids=(6161,),
)  # fmt: skip
COST = Cost(
    "rented", 19.2, 4.15, 3.02, 1.87, "gpt-5.2-mini", 2.0, 3120.0, 0.67, 3600.0, 2710.0, 4.6e6,
    2851.0, False,
    (
        Explanation("usd_per_hour", 19.2, (
            CostInput("USD per GPU-hour", "2.4", "configured"),
            CostInput("GPUs", "8", "measured"),
        )),
        Explanation("usd_per_mtok_reserved", 4.15, (
            CostInput("all time measured, s", "3600", "measured"),
            CostInput("USD in that time", "19.2", "computed"),
            CostInput("tokens generated", "4.6M", "measured"),
        )),
        Explanation("usd_per_mtok_busy", 3.02, (
            CostInput("time with requests running, s", "2710", "measured"),
            CostInput("USD in that time", "14.45", "computed"),
        )),
        Explanation("reference_usd_per_mtok", 2.0, (
            CostInput("gpt-5.2-mini", "2", "configured"),
        )),
    ),
)  # fmt: skip


def split_gpus(count: int = 8) -> tuple[Gpu, ...]:
    """GPUs 0-3 one engine's, 4 another's beside a desktop, 5 three holders, the rest idle."""
    return tuple(_held(i) for i in range(count))


def _held(index: int) -> Gpu:
    if index < 4:
        return _gpu(index, Process(4242 + index, "VLLM::Worker", "serve", 126 * GIB, QWEN.id))
    if index == 4:
        return _gpu(
            index,
            Process(5151, "sglang::scheduler", "serve", 122 * GIB, GEMMA.id),
            Process(7001, "/usr/lib/Xorg", "root", GIB // 2),
        )
    if index == 5:
        return _gpu(
            index,
            Process(6161, "llama-server", "serve", 20 * GIB, LLAMA.id),
            Process(8001, "python train.py", "ada", 46 * GIB),
            Process(8002, "comfyui", "ada", 11 * GIB),
        )
    return _gpu(index)


def _gpu(index: int, *processes: Process) -> Gpu:
    used = sum(p.vram_bytes or 0 for p in processes) / GIB + 0.6
    return examples.gpu(index, used)._replace(processes=processes)


def _strip(engines: tuple[Engine, ...], stack: str) -> tuple[Service, ...]:
    rows = examples.services(**dict.fromkeys(AITHER_SERVICES, stack))
    states = {
        "offline": "offline",
        "stale": "stale",
        "backing-off": "backing-off",
        "auth-required": "offline",
    }
    own = tuple(
        Service(e.model or e.id, e.kind, e.url, states.get(e.state, "online"),  # type: ignore[arg-type]
                e.latency_ms, e.age_s, e.error or e.advice) for e in engines
    )  # fmt: skip
    return (*rows, *own)


def box(
    engines: tuple[Engine, ...], utilization: float = 0.66, gpus: int = 8, **fields: object
) -> Snapshot:
    """A machine with engines and none of the seven services."""
    serving = [e for e in engines if not e.router and e.state == "online"]
    active = sum(e.active or 0 for e in serving)
    queued = sum(e.queued or 0 for e in serving)
    slots = sum(e.max_slots or 0 for e in serving) or None
    speed = sum(e.generation_tokens_per_s or 0.0 for e in serving)
    kv = max((e.kv_cache for e in serving if e.kv_cache is not None), default=None)
    demand = examples.demand(utilization)._replace(profile="serving")
    rows = _strip(engines, "offline")
    snap = Snapshot(
        version="0.1.0",
        at="2026-11-21T12:04:31Z",
        host="gpu-box-01",
        services_online=tuple((name, False) for name in AITHER_SERVICES),
        services=rows,
        gpus=split_gpus(gpus),
        llm=Llm(
            active,
            queued,
            slots,
            max(0, (slots or 0) - active),
            tuple(sorted({e.model for e in engines if e.model})),
            kv,
            False,
            any(e.max_slots is None for e in serving),
            "engines",
            0.4,
        ),
        throughput=Throughput(
            10_510.0,
            speed,
            8.5,
            0.229,
            0.019,
            0.71,
            0.044,
            0.64,
            0.029,
            3,
            Finished(91_414, 1216, 31, 2),
        ),
        engines=engines,
        demand=demand,
        pricing=Pricing(examples.curve(utilization)),
        data_age_s=0.4,
    )
    return snap._replace(**fields)  # type: ignore[arg-type]


def engines() -> Snapshot:
    """vLLM, SGLang and llama.cpp side by side; no price is configured."""
    return box((QWEN, GEMMA, LLAMA), cost=Cost(watts=3120.0, kwh_per_mtok=0.67, measured_s=900.0))


def one_engine() -> Snapshot:
    """What most people have: one llama-server on one card."""
    engine = LLAMA._replace(model="gemma4-12b-q4", max_slots=4, slots_source="reported",
                             rate_at_least=True)  # fmt: skip
    gpu = examples.gpu(0, 17.1, 24.0, name="NVIDIA GeForce RTX 4090")._replace(
        power_limit_w=450.0,
        processes=(
            Process(6161, "llama-server", "me", 15 * GIB, engine.id),
            Process(900, "Xorg", "root", GIB // 2),
        ),
    )
    return box((engine,), 0.22, gpus=0)._replace(gpus=(gpu,), throughput=Throughput(80.0, 61.0))


def priced() -> Snapshot:
    """Costs are configured, the queue reaches beyond the slots, much is generated for nothing."""
    full = GEMMA._replace(active=16, queued=23, kv_cache=1.0, back_pressure=True)
    snap = box((QWEN, full, LLAMA), 0.97, cost=COST)
    demand: Demand = snap.demand._replace(back_pressure=True)
    rates = snap.throughput._replace(burn=0.34, preemptions=1204)
    return snap._replace(demand=demand, throughput=rates)


def troubled_engines() -> Snapshot:
    """Engines in every state that is not simply online, each with what to do about it."""
    proxy = Engine(
        "litellm@127.0.0.1:4000", "litellm", "http://127.0.0.1:4000", models=("gpt-oss", "qwen"),
        state="online", age_s=0.4, router=True, backends=("http://127.0.0.1:8000",),
        spend=(Spend("search", "key-a", 12.5, 4.2e6), Spend("chat", "key-b", 3.1, 9e5)),
        requests_per_s=6.4,
    )  # fmt: skip

    def ill(number: int, kind: str, state: str, advice: str, **more: object) -> Engine:
        where = f"127.0.0.1:{9000 + number}"
        engine = Engine(f"{kind}@{where}", kind, f"http://{where}", state=state, age_s=0.4,  # type: ignore[arg-type]
                        advice=advice)  # fmt: skip
        return engine._replace(**more)  # type: ignore[arg-type]

    return box(
        (
            QWEN,
            proxy,
            ill(1, "vllm", "starting", "The model is loading.", model="qwen3.6-235b"),
            ill(2, "ollama", "asleep", "Unloaded; the next request loads it.", model="gemma4"),
            ill(3, "sglang", "no-metrics", "Start it with --enable-metrics.", model="deepseek-v4"),
            ill(4, "vllm", "auth-required", "Name its API key in [[engine]] token_env."),
            ill(
                5, "openai", "names-only", "It tells its models only.", models=("phi",), model="phi"
            ),
            GEMMA._replace(
                state="stale", age_s=31.0, error="nothing came in 2.5 s", reason="timeout"
            ),
            ill(7, "tgi", "offline", "Nobody listens there any more.", age_s=None),
            ill(8, "tgi", "backing-off", "Three failures in a minute.", model="llama-4-8b"),
        ),
        0.52,
    )


def fleet(count: int = 64) -> Snapshot:
    """`count` engines on three clusters, read through a Prometheus server."""
    made = tuple(_member(i) for i in range(count))
    return box(made, 0.74, gpus=8)._replace(gpus=examples.pool(0.9, 8))


def _member(index: int) -> Engine:
    where = f"10.0.{index // 16}.{index % 16}:8000"
    model = ("qwen3.6-27b", "gemma4-12b", "deepseek-v4")[index % 3]
    state = {7: "starting", 20: "auth-required", 41: "stale"}.get(index, "online")
    engine = Engine(
        f"vllm@{where}", ("vllm", "sglang")[index % 2], f"http://{where}", "0.11.2", model,
        (model,), state=state, age_s=31.0 if state == "stale" else 0.4,  # type: ignore[arg-type]
        source="prometheus", group=f"cluster-{'abc'[index % 3]}",
    )  # fmt: skip
    if state in ("starting", "auth-required"):
        return engine
    return engine._replace(
        active=index * 7 % 48,
        queued=index * 5 % 9,
        max_slots=48,
        slots_source="reported",
        kv_cache=index * 13 % 100 / 100,
        prompt_tokens_per_s=90.0 * (index % 11),
        generation_tokens_per_s=20.0 * (index % 17),
        ttft_s=0.1 + index % 5 / 10,
        ttft_p95_s=0.3 + index % 7 / 5,
        itl_s=0.02,
        itl_p95_s=0.05,
    )


def stale_engines() -> Snapshot:
    """Every engine went silent 47 s ago."""
    snap = engines()
    gone = tuple(e._replace(state="stale", age_s=47.0) for e in snap.engines)
    return snap._replace(
        engines=gone,
        services=_strip(gone, "offline"),
        llm=snap.llm._replace(stale=True, age_s=47.0),
        throughput=Throughput(),
        demand=snap.demand._replace(stale=True),
        gpus=tuple(g._replace(state="stale", age_s=47.0) for g in snap.gpus),
        data_age_s=47.0,
    )


def both() -> Snapshot:
    """The seven services and two engines on one machine."""
    snap = examples.high()
    own = (QWEN, GEMMA)
    return snap._replace(
        services=(*snap.services, *_strip(own, "offline")[8:]),
        engines=own,
        gpus=split_gpus(),
        throughput=engines().throughput,
        cost=COST,
    )


STATES = {
    "engines": engines,
    "one-engine": one_engine,
    "priced": priced,
    "troubled-engines": troubled_engines,
    "fleet": fleet,
    "stale-engines": stale_engines,
    "both": both,
}
