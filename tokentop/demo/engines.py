"""The three simulated engines: what each serves, where, and its load at any moment."""

from tokentop.demo.curve import LOOP_S, Points, clamp, value_at
from tokentop.demo.noise import drift
from tokentop.domain.engines.readings import EngineKind
from tokentop.light_typing import Final
from tokentop.named_tuple import NamedTuple

UPTIME_S: Final = 240 * LOOP_S  # how long ago engines started that never fail
_WOBBLE: Final = 0.02  # of the demand


class Outage(NamedTuple):
    """Seconds into the loop at which an engine dies, loads its model again, and serves again."""

    dies: float
    loads: float
    serves: float


class Engine(NamedTuple):
    """One engine. `demand` is requests over slots: above 1 they wait.

    `speed` is tokens per second of a request that runs alone, `output` the tokens of a request,
    `ttft_s` the wait for the first of them on an idle server.
    """

    kind: EngineKind
    port: int
    model: str
    gpus: tuple[int, ...]
    pids: tuple[int, ...]  # one for each GPU
    vram: float  # share of its GPUs that it takes
    slots: int
    speed: float
    output: float
    prompt: float
    ttft_s: float
    demand: Points
    outage: Outage | None = None
    kv_gib: float | None = None  # of KV cache on each GPU, where it reports them

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Load(NamedTuple):
    """One engine at one moment: requests, seconds of latency, tokens a second."""

    active: int
    queued: int
    busy: float  # running requests over slots, without rounding
    waiting: float  # queued over slots, without rounding
    kv_cache: float
    tokens_per_s: float
    requests_per_s: float
    ttft_s: float
    itl_s: float
    queue_s: float

    @property
    def e2e_s(self) -> float:
        """Seconds from arrival to the last token."""
        served = self.tokens_per_s / self.requests_per_s if self.requests_per_s else 0.0
        return self.ttft_s + served * self.itl_s


IDLE: Final = Load(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

ENGINES: Final = (
    Engine(
        "vllm", 8000, "qwen3.6-27b", (0, 1, 2, 3), (41200, 41207, 41214, 41221), 0.91,
        256, 62.0, 420.0, 1900.0, 0.11,
        ((0, 0.62), (20, 0.70), (38, 0.86), (52, 1.06), (64, 1.16), (84, 1.12), (96, 0.94),
         (112, 0.80), (130, 0.66), (146, 0.42), (160, 0.34), (170, 0.46), (180, 0.62)),
        kv_gib=104.0,
    ),
    Engine(
        "sglang", 30000, "deepseek-r2-70b", (4, 5), (41228, 41235), 0.88,
        64, 48.0, 760.0, 2600.0, 0.18,
        ((0, 0.66), (20, 0.76), (36, 0.97), (46, 1.3), (58, 2.0), (64, 2.3), (84, 2.25),
         (92, 1.4), (99, 0.95), (116, 0.78), (136, 0.50), (160, 0.30), (170, 0.44), (180, 0.66)),
        kv_gib=50.0,
    ),
    Engine(
        "llamacpp", 8080, "gemma4-12b", (6,), (41242,), 0.62,
        8, 74.0, 24000.0, 6000.0, 0.09,
        ((0, 0.55), (30, 0.70), (60, 0.93), (90, 0.85), (103, 0.80), (132.9, 0.80), (133, 0.15),
         (148, 0.45), (166, 0.40), (180, 0.55)),
        Outage(103.0, 118.0, 133.0),
    ),
)  # fmt: skip


def state_of(engine: Engine, t: float) -> str:
    """Whether it serves, loads its model, or is dead."""
    into, outage = t % LOOP_S, engine.outage
    if outage is None or not outage.dies <= into < outage.serves:
        return "serving"
    return "dead" if into < outage.loads else "loading"


def started_at(engine: Engine, t: float) -> float:
    """The demo second at which the process that runs at `t` began to serve."""
    if engine.outage is None:
        return -UPTIME_S
    cycle, into = divmod(t, LOOP_S)
    return (cycle if into >= engine.outage.serves else cycle - 1) * LOOP_S + engine.outage.serves


def load(engine: Engine, t: float, seed: int) -> Load:
    """Its load; it repeats with every loop, so that counters are sums over whole loops."""
    if state_of(engine, t) != "serving":
        return IDLE
    into = t % LOOP_S
    wobble = 1 + _WOBBLE * drift(seed, 100 + engine.port, into)
    return load_at(engine, value_at(engine.demand, into) * wobble)


def load_at(engine: Engine, demand: float) -> Load:
    """The load that a demand (requests over slots) makes."""
    busy, waiting = min(1.0, demand), max(0.0, demand - 1)
    speed = engine.speed / (1 + 0.8 * busy)  # a larger batch is slower for each of its requests
    tokens = engine.slots * busy * speed
    requests = tokens / engine.output
    queue = engine.slots * waiting / requests if requests else 0.0
    return Load(
        active=round(engine.slots * busy),
        queued=round(engine.slots * waiting),
        busy=busy,
        waiting=waiting,
        kv_cache=clamp(0.05 + 0.68 * busy + 0.24 * min(1.0, waiting), 0.0, 0.985),
        tokens_per_s=tokens,
        requests_per_s=requests,
        ttft_s=engine.ttft_s * (1 + 3 * busy**3) + queue,
        itl_s=1 / speed,
        queue_s=0.002 + queue,
    )
