"""Snapshot: one frozen value with the result of one refresh.

The public JSON (`tokentop/1`) is this value, key for key. `None` means the source would not
say; it is never replaced by 0. Sizes are bytes, times seconds, ratios 0-1, money USD, credits
tokens.

These are named tuples: the one-line view pays for every class at start-up (named_tuple.py).
"""

from tokentop.domain.policy import INTERVAL_S, CapacityPolicy
from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot_engines import Cost, CostBounds, Engine, EngineState, Throughput
from tokentop.domain.snapshot_stack import Agents, Mint, Parallel
from tokentop.domain.verdict.values import NO_DATA, Alert, Event, Health, Mode, Pool, Reason, Tier
from tokentop.light_typing import TYPE_CHECKING, Literal
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:  # only the GPU page and who follows a ledger have any
    from tokentop.domain.gpu_detail import GpuDetail, ProcessDetail, ThrottleReason, Xid
    from tokentop.domain.snapshot_ledger import LedgerFigures

GpuState = Literal["ok", "stale", "lost", "suspended", "error"]
ServiceState = EngineState | Literal["off"]

AITHER_SERVICES = ("genesis", "microscheduler", "compute", "accel", "parallel", "mint", "acta")


NOBODY_ONLINE = tuple((name, False) for name in AITHER_SERVICES)


class Process(NamedTuple):
    """One process that holds VRAM on a GPU; `engine` is an Engine.id once matched.

    `detail` is None but on the full screen's GPU page.
    """

    pid: int
    name: str | None = None
    user: str | None = None
    vram_bytes: int | None = None
    engine: str | None = None
    detail: "ProcessDetail | None" = None


class Gpu(NamedTuple):
    """One physical GPU, or one MIG instance (`mig` is then its parent's UUID).

    `processes` is None where the driver refuses the list; `note` says in words what is wrong.
    A MIG instance has the numbers of its GPU instance and compute instance, and its slot: its
    place in the driver's list. `throttle` names what holds the clocks down, () for nothing;
    it is asked from the second poll on. `xids` are the driver's errors, the newest last, as far
    as they came while the full screen ran. `detail` is None but on its GPU page. From `slowdown_c`
    degrees on the hardware slows the GPU down.
    """

    index: int | None = None  # type: ignore[assignment]  # the public key; tuple.index is not used
    uuid: str | None = None
    name: str | None = None
    node: str | None = None
    vram_used_bytes: int | None = None
    vram_total_bytes: int | None = None
    utilization: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    mig: str | None = None
    memory_shared: bool = False
    source: str = "nvml"
    age_s: float | None = None
    state: GpuState = "ok"
    processes: tuple[Process, ...] | None = None
    note: str | None = None
    mig_gi: int | None = None
    mig_ci: int | None = None
    mig_slot: int | None = None
    throttle: "tuple[ThrottleReason, ...] | None" = None
    xids: "tuple[Xid, ...]" = ()
    detail: "GpuDetail | None" = None
    slowdown_c: float | None = None


class Service(NamedTuple):
    """One source: a service of the stack, an engine, the NVML driver, or a provider of offers.

    `url` never holds a user name, a password or a query string. `age_s` is the age of the last
    good answer; `error` is one sentence, `reason` the kind of failure behind it.
    A `member` counts for the health of the whole: it was configured, or seen since the start.
    """

    name: str
    kind: str
    url: str | None = None
    state: ServiceState = "offline"
    latency_ms: float | None = None
    age_s: float | None = None
    error: str | None = None
    reason: FailureKind | None = None
    member: bool = False


class Llm(NamedTuple):
    """The LLM slots: active, queued, free. `stale` is true when every source of it went silent.

    `models_more` are left out of `models`; `kv_cache` is that of the fullest engine. An estimate
    where `slots_estimated` (`max_slots` and `free`) and `kv_estimated`.
    """

    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    free: int | None = None
    models: tuple[str, ...] | None = None
    kv_cache: float | None = None
    back_pressure: bool | None = None
    partial: bool = False
    source: str | None = None
    age_s: float | None = None
    stale: bool = False
    models_more: int = 0
    slots_estimated: bool = False
    kv_estimated: bool = False


class Demand(NamedTuple):
    """How full the stack is. All None with the message "No data yet" before the first answer.

    `utilization` is that of the fullest pool, a lower bound where `at_least`; it follows `source`:
    ACTA's pressure where ACTA has the last word, else the local formula named by `profile`.
    `headline` is the one sentence of every banner, `reasons` say why, the most important first;
    `age_s` is the age of the oldest figure that the utilisation was computed from.
    """

    memory_pressure: float | None = None
    queue_pressure: float | None = None
    utilization: float | None = None
    tier: Tier | None = None
    message: str = NO_DATA
    mode: Mode | None = None
    back_pressure: bool | None = None
    source: Literal["acta", "local"] = "local"
    profile: Literal["vram", "serving"] = "vram"
    age_s: float | None = None
    reasons: tuple[Reason, ...] = ()
    pools: tuple[Pool, ...] = ()
    stale: bool = False
    headline: str = NO_DATA
    at_least: bool = False


class Pricing(NamedTuple):
    """The cost multiplier on its S-curve and what a request costs, in tokens.

    `age_s` is the age of the oldest input: demand, and Mint's rates where they are used.
    `bounds` say on which side of the `usd_*` figures the truth lies, where they are not whole.
    """

    multiplier: float | None = None
    source: Literal["acta", "local"] = "local"
    floor: float = 1.0
    ceiling: float = 6.0
    steepness: float = 8.0
    midpoint: float = 0.55
    base_cost_tokens: float | None = None
    effective_cost_tokens: float | None = None
    everything_free: bool = True
    tokens_per_usd: float | None = None
    usd_per_hour: float | None = None
    usd_per_mtok_reserved: float | None = None
    usd_per_mtok_busy: float | None = None
    usd_per_mtok_best: float | None = None
    reference_name: str | None = None
    reference_usd_per_mtok: float | None = None
    age_s: float | None = None
    stale: bool = False
    bounds: CostBounds = CostBounds()


class NextInstance(NamedTuple):
    """The instance that one more GPU would be; `source` is a real offer or the default.

    `needed_bytes` is the VRAM that an offer must have to suit; None where any would.
    """

    gpu: str | None = None
    vram_bytes: int | None = None
    region: str | None = None
    provider: str | None = None
    usd_per_hour: float | None = None
    tokens_per_hour: float | None = None
    source: Literal["offer", "default"] = "default"
    needed_bytes: int | None = None


class Capacity(NamedTuple):
    """How close the next instance is, and when a surplus one would go.

    `age_s` is the age of the oldest input: demand, and the offer where one is shown.
    """

    threshold: float = CapacityPolicy().scale_up_at
    progress: float | None = None
    needed: bool = False
    next_instance: NextInstance = NextInstance()
    scale_down_in_s: float | None = None
    age_s: float | None = None
    stale: bool = False


class CloudInstance(NamedTuple):
    """One rented instance; `active` is true where it serves now.

    `provider` is None where the stack's own list names none.
    """

    id: str | None = None
    gpu: str | None = None
    region: str | None = None
    status: str | None = None
    model: str | None = None
    usd_per_hour: float | None = None
    active: bool = False
    provider: str | None = None


class Cloud(NamedTuple):
    """The rented instances; `instances` is None where unknown.

    `source` names the lists they come from, joined with +: compute's, else the providers'.
    """

    instances: tuple[CloudInstance, ...] | None = None
    active: int | None = None
    usd_per_hour: float | None = None
    age_s: float | None = None
    stale: bool = False
    source: str | None = None


class Snapshot(NamedTuple):
    """The result of one refresh. The default value is the safe zero state.

    `at` is RFC 3339 UTC. `data_age_s` is the age of the newest good answer of any source.
    `events` are what changed since the snapshot before, where a view compares the two; `alerts`
    what its rules say, where a view follows them. `ledger` is None where none is followed.
    """

    version: str = ""
    at: str = ""
    host: str = ""
    interval_s: float = INTERVAL_S
    demo: bool = False
    services_online: tuple[tuple[str, bool], ...] = NOBODY_ONLINE
    services: tuple[Service, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    llm: Llm = Llm()
    throughput: Throughput = Throughput()
    engines: tuple[Engine, ...] = ()
    health: Health = Health()
    demand: Demand = Demand()
    pricing: Pricing = Pricing()
    capacity: Capacity = Capacity()
    cloud: Cloud = Cloud()
    mint: Mint = Mint()
    parallel: Parallel = Parallel()
    agents: Agents = Agents()
    data_age_s: float | None = None
    cost: Cost = Cost()
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()
    ledger: "LedgerFigures | None" = None
