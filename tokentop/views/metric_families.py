"""The metrics by name: what each means, its labels, and where in the snapshot it stands.

Names and labels are public: dashboards and alert rules depend on them.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from tokentop.domain.snapshot import Gpu, GpuState, Service, ServiceState, Snapshot
from tokentop.domain.snapshot_engines import Engine, EngineState, Latencies
from tokentop.domain.snapshot_ledger import BudgetState, LedgerFigures
from tokentop.domain.verdict.values import HealthState, Mode, Pool, Tier
from tokentop.light_typing import Literal, TypeVar, get_args
from tokentop.named_tuple import NamedTuple
from tokentop.views.metric_ledger import BUDGET, LEDGER, PROJECT

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float | None]
Kind = Literal["gauge", "counter", "info", "stateset"]
Row = TypeVar("Row")
Figure = tuple[str, str, Callable[[Row], float | None]]

_PERCENTILES = (("p50_s", "50"), ("p95_s", "95"), ("p99_s", "99"))
_PERIODS = ("reserved", "busy", "best")


class Family(NamedTuple):
    """One metric without its kind's suffix (`_total`, `_info`), and its samples."""

    name: str
    kind: Kind
    help: str
    samples: list[Sample]


def families(s: Snapshot) -> Iterator[Family]:
    """Every family, in a stable order; one without a known figure has no known sample."""
    build = (("version", s.version), ("host", s.host))
    yield Family("tokentop_build", "info", "The version of tokentop and its host.", [(build, 1)])
    yield from _figures("tokentop", [((), s)], WHOLE)
    yield from _verdict(s)
    yield from _services([(_service(one), one) for one in s.services])
    yield from _gpus([(_gpu(one), one) for one in s.gpus])
    yield from _engines([((("engine", one.id),), one) for one in s.engines])
    yield from _figures("tokentop_pool", [((("model", p.model),), p) for p in s.demand.pools], POOL)
    yield from _latencies("tokentop", [((), s.throughput.latencies)])
    yield _cost_per_million(s)
    if s.ledger is not None:
        yield from _ledger(s.ledger)


WHOLE: tuple[Figure[Snapshot], ...] = (
    ("snapshot_timestamp_seconds", "Unix time at which this snapshot was made.",
     lambda s: _unix(s.at)),
    ("data_age_seconds", "Age of the newest good answer of any source.", lambda s: s.data_age_s),
    ("poll_interval_seconds", "Time between two polls.", lambda s: s.interval_s),
    ("demo", "1 where all figures are simulated.", lambda s: s.demo),
    ("requests_active", "Requests that run now.", lambda s: s.llm.active),
    ("requests_queued", "Requests that wait.", lambda s: s.llm.queued),
    ("slots", "Requests that can run at once.", lambda s: s.llm.max_slots),
    ("slots_free", "Slots without a request.", lambda s: s.llm.free),
    ("kv_cache_ratio", "KV cache in use, of the fullest engine.", lambda s: s.llm.kv_cache),
    ("prompt_tokens_per_second", "Prompt tokens processed.",
     lambda s: s.throughput.prompt_tokens_per_s),
    ("generation_tokens_per_second", "Tokens generated.",
     lambda s: s.throughput.generation_tokens_per_s),
    ("requests_per_second", "Requests finished.", lambda s: s.throughput.requests_per_s),
    ("prefix_cache_hit_ratio", "Prompt tokens found in the prefix cache.",
     lambda s: s.throughput.prefix_hit_ratio),
    ("silent_burn_ratio", "Requests of the last minute that made tokens for nothing.",
     lambda s: s.throughput.burn),
    ("demand_utilization_ratio", "How full the fullest pool is.", lambda s: s.demand.utilization),
    ("memory_pressure_ratio", "VRAM in use of the whole.", lambda s: s.demand.memory_pressure),
    ("queue_pressure_ratio", "Waiting requests of all slots.", lambda s: s.demand.queue_pressure),
    ("demand_age_seconds", "Age of the oldest figure behind the utilisation.",
     lambda s: s.demand.age_s),
    ("back_pressure", "1 where requests are held back.", lambda s: s.demand.back_pressure),
    ("cost_multiplier", "The cost multiplier on its S-curve.", lambda s: s.pricing.multiplier),
    ("request_base_cost_tokens", "Cost of a request before the multiplier.",
     lambda s: s.pricing.base_cost_tokens),
    ("request_cost_tokens", "Cost of a request as it is charged.",
     lambda s: s.pricing.effective_cost_tokens),
    ("everything_free", "1 where costs are computed and not charged.",
     lambda s: s.pricing.everything_free),
    ("cost_usd_per_hour", "What the machine costs an hour.", lambda s: s.cost.usd_per_hour),
    ("capacity_progress_ratio", "How near the next instance is.", lambda s: s.capacity.progress),
    ("capacity_needed", "1 where one more instance is needed.", lambda s: s.capacity.needed),
    ("scale_down_seconds", "Time until a surplus instance goes.",
     lambda s: s.capacity.scale_down_in_s),
    ("next_instance_usd_per_hour", "What one more instance would cost an hour.",
     lambda s: s.capacity.next_instance.usd_per_hour),
    ("cloud_instances_active", "Rented instances that serve.", lambda s: s.cloud.active),
    ("cloud_usd_per_hour", "What the rented instances cost an hour.",
     lambda s: s.cloud.usd_per_hour),
    ("mint_supply_tokens", "Tokens that exist.", lambda s: s.mint.supply),
    ("mint_circulation_tokens", "Tokens in circulation.", lambda s: s.mint.circulation),
    ("mint_balance_tokens", "Tokens in the pool.", lambda s: s.mint.balance),
    ("streams_active", "Streams of Parallel that run.", lambda s: s.parallel.active_streams),
    ("streams_max", "Streams that Parallel can run.", lambda s: s.parallel.max_streams),
    ("agents_online", "Agents on the roster.", lambda s: s.agents.online),
    ("agents_active", "Agents at work.", lambda s: s.agents.active),
)  # fmt: skip

SERVICE: tuple[Figure[Service], ...] = (
    ("latency_seconds", "Time of the latest answer.",
     lambda s: None if s.latency_ms is None else s.latency_ms / 1000),
    ("age_seconds", "Age of the latest good answer.", lambda s: s.age_s),
)  # fmt: skip

GPU: tuple[Figure[Gpu], ...] = (
    ("memory_used_bytes", "VRAM in use.", lambda g: g.vram_used_bytes),
    ("memory_total_bytes", "VRAM.", lambda g: g.vram_total_bytes),
    ("utilization_ratio", "Time in which a kernel ran.", lambda g: g.utilization),
    ("temperature_celsius", "Temperature.", lambda g: g.temperature_c),
    ("power_watts", "Power drawn.", lambda g: g.power_w),
    ("power_limit_watts", "Power that may be drawn.", lambda g: g.power_limit_w),
    ("age_seconds", "Age of the latest good reading.", lambda g: g.age_s),
)

ENGINE: tuple[Figure[Engine], ...] = (
    ("requests_active", "Requests that run now.", lambda e: e.active),
    ("requests_queued", "Requests that wait.", lambda e: e.queued),
    ("slots", "Requests that can run at once.", lambda e: e.max_slots),
    ("kv_cache_ratio", "KV cache in use.", lambda e: e.kv_cache),
    ("prompt_tokens_per_second", "Prompt tokens processed.", lambda e: e.prompt_tokens_per_s),
    ("generation_tokens_per_second", "Tokens generated.", lambda e: e.generation_tokens_per_s),
    ("requests_per_second", "Requests finished.", lambda e: e.requests_per_s),
    ("prefix_cache_hit_ratio", "Prompt tokens found in the prefix cache.",
     lambda e: e.prefix_hit_ratio),
    ("silent_burn_ratio", "Requests that made tokens for nothing.", lambda e: e.burn),
    ("memory_used_bytes", "VRAM that its processes hold.", lambda e: e.vram_bytes),
    ("latency_seconds", "Time of the latest answer to a poll.",
     lambda e: None if e.latency_ms is None else e.latency_ms / 1000),
    ("age_seconds", "Age of the latest good answer.", lambda e: e.age_s),
)  # fmt: skip

POOL: tuple[Figure[Pool], ...] = (
    ("utilization_ratio", "How full the engines of one model are.", lambda p: p.utilization),
    ("requests_active", "Requests that run now.", lambda p: p.active),
    ("requests_queued", "Requests that wait.", lambda p: p.queued),
    ("slots", "Requests that can run at once.", lambda p: p.max_slots),
    ("kv_cache_ratio", "KV cache in use.", lambda p: p.kv_cache),
)


def _figures(
    prefix: str, rows: Iterable[tuple[Labels, Row]], figures: Iterable[Figure[Row]]
) -> Iterator[Family]:
    rows = tuple(rows)
    for name, about, read in figures:
        samples: list[Sample] = [(labels, read(row)) for labels, row in rows]
        yield Family(f"{prefix}_{name}", "gauge", about, samples)


def _verdict(s: Snapshot) -> Iterator[Family]:
    """Health, tier and mode; an unknown tier or mode has no state at all."""
    whole: Labels = ()
    yield _states("tokentop_health", "Does what should serve, serve?", HealthState,
                  [(whole, s.health.state)])  # fmt: skip
    yield _states("tokentop_demand_tier", "How full the fullest pool is, in words.", Tier,
                  [(whole, s.demand.tier)])  # fmt: skip
    yield _states("tokentop_demand_mode", "Whether requests have to wait.", Mode,
                  [(whole, s.demand.mode)])  # fmt: skip
    pools = [((("model", pool.model),), pool) for pool in s.demand.pools]
    yield _states("tokentop_pool_tier", "How full the engines of one model are, in words.", Tier,
                  [(labels, pool.tier) for labels, pool in pools])  # fmt: skip


def _services(rows: list[tuple[Labels, Service]]) -> Iterator[Family]:
    known = [(labels, one.state) for labels, one in rows]
    yield _states("tokentop_service_state", "State of one thing that is polled.", ServiceState,
                  known)  # fmt: skip
    yield from _figures("tokentop_service", rows, SERVICE)


def _gpus(rows: list[tuple[Labels, Gpu]]) -> Iterator[Family]:
    about = "Index, name and node of a GPU; a MIG instance has its parent's UUID."
    yield Family(
        "tokentop_gpu", "info", about, [((*labels, *_about(gpu)), 1) for labels, gpu in rows]
    )
    yield _states("tokentop_gpu_state", "State of a GPU.", GpuState,
                  [(labels, gpu.state) for labels, gpu in rows])  # fmt: skip
    yield from _figures("tokentop_gpu", rows, GPU)


def _engines(rows: list[tuple[Labels, Engine]]) -> Iterator[Family]:
    about = "Kind, version and model of an engine, and its group in a fleet."
    yield Family("tokentop_engine", "info", about, [
        ((*labels, ("kind", e.kind), ("version", e.version or ""), ("model", e.model or ""),
          ("group", e.group or "")), 1)
        for labels, e in rows
    ])  # fmt: skip
    yield _states("tokentop_engine_state", "State of an engine.", EngineState,
                  [(labels, e.state) for labels, e in rows])  # fmt: skip
    yield from _figures("tokentop_engine", rows, ENGINE)
    yield from _latencies("tokentop_engine", [(labels, e.latencies) for labels, e in rows])
    yield from _counters(rows)


def _counters(rows: list[tuple[Labels, Engine]]) -> Iterator[Family]:
    """What an engine counts: since it started, or (tokens) since it was first read."""
    yield Family("tokentop_engine_preemptions", "counter", "Requests set back for want of memory.",
                 [(labels, e.preemptions) for labels, e in rows])  # fmt: skip
    yield Family("tokentop_engine_rejections", "counter", "Requests that were refused.",
                 [(labels, e.rejections) for labels, e in rows])  # fmt: skip
    ended = "Requests that ended, by reason."
    yield Family("tokentop_engine_requests_finished", "counter", ended, [
        ((*labels, ("reason", reason)), getattr(e.finished, reason))
        for labels, e in rows
        for reason in e.finished._fields
    ])  # fmt: skip
    counted = "Tokens counted since the engine was first read."
    yield Family("tokentop_engine_tokens", "counter", counted, [
        ((*labels, ("direction", direction)), getattr(e.tokens_seen, direction))
        for labels, e in rows
        if e.tokens_seen is not None
        for direction in ("prompt", "generated")
    ])  # fmt: skip


def _ledger(ledger: LedgerFigures) -> Iterator[Family]:
    """Budgets and projects; amounts are in the unit that is a label of theirs."""
    budgets = [((("budget", b.name), ("scope", b.scope), ("who", b.who), ("unit", b.unit)), b)
               for b in ledger.budgets]  # fmt: skip
    yield from _figures("tokentop_ledger", [((), ledger)], LEDGER)
    yield from _figures("tokentop_budget", budgets, BUDGET)
    yield _states("tokentop_budget_state", "How near its end a budget is, in words.", BudgetState,
                  [(labels, budget.state) for labels, budget in budgets])  # fmt: skip
    projects = [((("project", project.name),), project) for project in ledger.projects]
    yield from _figures("tokentop_project", projects, PROJECT)


def _latencies(prefix: str, rows: list[tuple[Labels, Latencies]]) -> Iterator[Family]:
    about = "Latency of the last minute's requests: ttft, itl, e2e, queue, prefill or decode."
    yield Family(f"{prefix}_request_latency_seconds", "gauge", about, [
        ((*labels, ("phase", phase), ("percentile", rank)), getattr(getattr(row, phase), field))
        for labels, row in rows
        for phase in row._fields
        for field, rank in _PERCENTILES
    ])  # fmt: skip


def _cost_per_million(s: Snapshot) -> Family:
    about = "USD for a million generated tokens: over all time, over busy time, at the best rate."
    samples: list[Sample] = [
        ((("period", period),), getattr(s.cost, f"usd_per_mtok_{period}")) for period in _PERIODS
    ]
    return Family("tokentop_cost_usd_per_million_tokens", "gauge", about, samples)


def _states(
    name: str, about: str, states: object, rows: Iterable[tuple[Labels, str | None]]
) -> Family:
    """A state set: one sample a state, 1 for the present one; the label has the family's name."""
    samples: list[Sample] = [
        ((*labels, (name, state)), state == present)
        for labels, present in rows
        if present is not None
        for state in dict.fromkeys(_flat(states))
    ]
    return Family(name, "stateset", about, samples)


def _flat(states: object) -> Iterator[str]:
    for one in get_args(states):
        if isinstance(one, str):
            yield one
        else:
            yield from _flat(one)


def _service(one: Service) -> Labels:
    return (("service", one.name), ("kind", one.kind))


def _gpu(gpu: Gpu) -> Labels:
    """Its UUID; where a source does not say, its node and index."""
    return (("gpu", gpu.uuid or f"{gpu.node or ''}/{gpu.index}"),)


def _about(gpu: Gpu) -> Labels:
    index = "" if gpu.index is None else str(gpu.index)
    names = (("name", gpu.name or ""), ("node", gpu.node or ""), ("parent", gpu.mig or ""))
    return (("index", index), *names, ("source", gpu.source))


def _unix(at: str) -> float | None:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return None
