"""Example snapshots with engines, one builder per state: boxes, fleets, costs, troubles."""

from tests.box import GIB, NO_DRIVER, Box, device, process, refused, timeout
from tests.examples import pool, stack
from tests.serving import Serving, prometheus, scraped
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.readings import TeamSpend
from tokentop.domain.policy import CostPolicy, Policy
from tokentop.domain.readings import (
    DeviceReading,
    GpusReading,
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
)
from tokentop.domain.snapshot import AITHER_SERVICES, Snapshot
from tokentop.domain.snapshot_engines import Finished

QWEN = Serving(
    "vllm", 8000, "qwen3.6-27b", "0.11.2", active=26, queued=0, max_slots=48, kv_cache=0.61,
    prompt=8410.0, generation=1284.0, requests=6.4, ttft=(0.212, 0.48), itl=(0.018, 0.032),
    e2e=(3.1, 9.4), queue=(0.004, 0.031), prefill=(0.19, 0.41), decode=(2.8, 8.7),
    prefix_hits=0.71, burn=0.031, preempted=0, finished=Finished(90210, 1204, 31, 2),
    pids=(4242, 4243, 4244, 4245), kv_gib=84.0,
)  # fmt: skip
GEMMA = Serving(
    "sglang", 30000, "gemma4-12b", "0.5.4", active=12, queued=7, max_slots=16,
    slots_source="derived", kv_cache=0.88, prompt=2100.0, generation=402.0, requests=2.1,
    ttft=(0.341, 1.2), itl=(0.026, 0.061), prefix_hits=0.35, burn=0.01,
    finished=Finished(1204, 12, 0, 0), pids=(5151,),
)  # fmt: skip
LLAMA = Serving(
    "llamacpp", 8080, "whisper-v3", "b7100", active=1, queued=0, prompt=80.0, generation=61.0,
    pids=(6161,),
)  # fmt: skip
OWNED = Policy(cost=CostPolicy(purchase_usd=500_000.0, months=36.0, usd_per_kwh=0.31))
RENTED = Policy(
    cost=CostPolicy(
        usd_per_gpu_hour=2.40, reference_name="gpt-5.2-mini", reference_usd_per_mtok=2.0
    )
)


def held_gpus() -> tuple[DeviceReading, ...]:
    """GPUs 0-3 one engine's, 4 another's beside a desktop, 5 three holders', the rest idle."""
    workers = (process(4242 + i, "VLLM::Worker", "serve", 126) for i in range(4))
    return (
        *(device(i, 126.6, 140.4, worker) for i, worker in enumerate(workers)),
        device(4, 123.1, 140.4, process(5151, "sglang::scheduler", "serve", 122),
               process(7001, "/usr/lib/Xorg", "root", 0.5)),
        device(5, 77.6, 140.4, process(6161, "llama-server", "serve", 20),
               process(8001, "python train.py", "ada", 46), process(8002, "comfyui", "ada", 11)),
        device(6, 0.6),
        device(7, 0.6),
    )  # fmt: skip


def box(*engines: Serving | EngineObservation, **given: object) -> Box:
    """A machine with engines, at whose default addresses none of the seven services listens."""
    made = Box(**given).gpus(*held_gpus())  # type: ignore[arg-type]
    for name in AITHER_SERVICES:
        made.down(name)
    return made.engines(*engines)


def engines() -> Snapshot:
    """vLLM, SGLang and llama.cpp side by side; no price is configured."""
    return box(QWEN, GEMMA, LLAMA).snapshot()


def one_engine() -> Snapshot:
    """What most people have: one llama-server on one card, counting less than it makes."""
    engine = LLAMA._replace(model="gemma4-12b-q4", max_slots=4, uncounted=True)
    made = box(engine)
    desktop = process(900, "Xorg", "root", 0.5)
    made.gpus(
        device(0, 17.1, 24.0, process(6161, "llama-server", "me", 15), desktop,
               name="NVIDIA GeForce RTX 4090", power_w=312.0, power_limit_w=450.0)
    )  # fmt: skip
    return made.snapshot()


def priced() -> Snapshot:
    """Costs are configured, the queue reaches beyond the slots, much is generated for nothing."""
    full = GEMMA._replace(active=16, queued=23, kv_cache=1.0, preempted=1204, burn=0.34)
    return box(QWEN._replace(burn=0.34), full, LLAMA, policy=RENTED).snapshot()


def owned() -> Snapshot:
    """An owned machine: one GPU does not tell its watts, and one engine not its tokens."""
    silent = Serving("ollama", 11434, "phi-5", active=1)
    *metered, last = held_gpus()
    made = box(QWEN, GEMMA, silent, policy=OWNED)
    return made.gpus(*metered, last._replace(power_w=None)).snapshot()


def troubled_engines() -> Snapshot:
    """Engines in every state that is not simply online, each with what to do about it."""
    proxy = Serving(
        "litellm", 4000, models=("gpt-oss", "qwen"), router=True, requests=6.4,
        backends=("http://127.0.0.1:8000",),
        spend=(TeamSpend("search", "key-a", 12.5, 4.2e6), TeamSpend("chat", "key-b", 3.1, 9e5)),
    )  # fmt: skip
    ill = (
        Serving("vllm", 9001, "qwen3.6-235b", health="starting", advice="The model is loading."),
        Serving("ollama", 9002, "gemma4", health="asleep", advice="The next request loads it."),
        Serving("sglang", 9003, "deepseek-v4", health="no-metrics",
                advice="Statistics are disabled: start SGLang with --enable-metrics."),
        Serving("vllm", 9004, health="auth-required", advice="Name its key in token_env."),
        Serving("openai", 9005, "phi", health="names-only", advice="It tells its names only."),
        GEMMA._replace(age_s=31.0, failure=timeout(GEMMA.url)),
        Serving("tgi", 9007, age_s=None, failure=refused("http://127.0.0.1:9007")),
        Serving("tgi", 9008, "llama-4-8b", age_s=None, backing_off=True,
                failure=refused("http://127.0.0.1:9008")),
    )  # fmt: skip
    return box(QWEN, proxy, *ill).snapshot()


def fleet(count: int = 64) -> Snapshot:
    """`count` engines on three clusters and two hosts' GPUs, seen from a laptop."""
    made = Box("laptop").answers("nvml", NO_DRIVER)
    made.answers("prometheus/gpus", GpusReading(tuple(map(_far, range(8), pool(0.9)))))
    return made.engines(prometheus(), *(_member(i) for i in range(count))).snapshot()


def _far(place: int, gpu: DeviceReading) -> DeviceReading:
    """As exporters describe a GPU: by its host, without its processes."""
    return gpu._replace(node=f"gpu-box-0{1 + place // 4}", index=place % 4, processes=None)


def _member(index: int) -> EngineObservation:
    model = ("qwen3.6-27b", "gemma4-12b", "deepseek-v4")[index % 3]
    one = Serving(
        ("vllm", "sglang")[index % 2], 8000, model, "0.11.2",  # type: ignore[arg-type]
        active=index * 7 % 48, queued=index * 5 % 9, max_slots=48, kv_cache=index * 13 % 75 / 100,
        prompt=90.0 * (index % 11), generation=20.0 * (index % 17), requests=0.1 * (index % 13),
        ttft=(0.1 + index % 5 / 10, 0.6 + index % 7 / 5), itl=(0.02, 0.05),
        host=f"10.0.{index // 16}.{index % 16}",
    )  # fmt: skip
    if index == 7:
        one = Serving("sglang", 8000, model, health="starting", host=one.host)
    if index == 41:
        one = one._replace(age_s=31.0, failure=timeout(one.url))
    return scraped(one, f"cluster-{'abc'[index % 3]}")


def stale_engines() -> Snapshot:
    """Every engine and the driver went silent 47 s ago."""
    gone = [e._replace(age_s=47.0, failure=timeout(e.url)) for e in (QWEN, GEMMA, LLAMA)]
    return box(*gone).silent("nvml", age_s=47.0).snapshot()


def rented() -> Snapshot:
    """One engine on one card, and a cloud that rents GPUs: what one more would cost."""
    card = device(0, 21.3, 24.0, process(700, "llama-server", "serve", 20.6), name="RTX 4090")
    engine = LLAMA._replace(model="gemma4-27b-q4", max_slots=4, pids=(700,))
    offers = OffersReading(
        (
            Offer("1", "RTX 3060", 12 * GIB, "Quebec, CA", "Vast.ai", 0.07),
            Offer("2", "RTX 3090", 24 * GIB, "Texas, US", "Vast.ai", 0.17),
        )
    )
    instance = InstanceReading("31", "RTX 4090", "Oregon, US", "running", None, 0.31)
    instances = InstancesReading((instance._replace(provider="Vast.ai"),))
    url = "https://console.vast.ai"
    return box(engine).gpus(card).cloud("vast", url, offers, instances).snapshot()


def both() -> Snapshot:
    """The seven services and two engines on one machine, which is rented."""
    made = stack(0.74, 34, 4, rented=1, policy=RENTED)
    return made.gpus(*held_gpus()).engines(QWEN, GEMMA).snapshot()


STATES = {
    "engines": engines,
    "one-engine": one_engine,
    "priced": priced,
    "troubled-engines": troubled_engines,
    "fleet": fleet,
    "stale-engines": stale_engines,
    "both": both,
    "rented": rented,
}
