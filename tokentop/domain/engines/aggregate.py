"""Engines read directly -> their rows, their sum as LLM slots, and their merged throughput.

A router's traffic is the engines' traffic: its row is shown, its figures are added only where no
engine is known at all. An engine that would not say makes a sum partial, never smaller in silence.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tokentop.domain.economy.burn import burn
from tokentop.domain.economy.demand import ratio
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.quantiles import quantiles
from tokentop.domain.engines.readings import Counters, Histogram
from tokentop.domain.engines.rows import Seen, gained, row, seen
from tokentop.domain.engines.summary import ENGINES, EnginesSummary, SlotTotals
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import UNREACHABLE
from tokentop.domain.snapshot import Gpu, Llm, Service, ServiceState
from tokentop.domain.snapshot_engines import (
    NOT_SERVING,
    SILENT_STATES,
    Engine,
    Finished,
    Throughput,
)

# An engine without metrics has reserved its VRAM all the same: better no figure than a false one.
SPEAKING = ("online", "asleep", "no-metrics", "stale", "backing-off")

Pooled = tuple[tuple[Histogram, ...], tuple[Histogram, ...]]

_SERVICE_STATES: dict[str, ServiceState] = {
    "auth-required": "offline",
    "stale": "stale",
    "offline": "offline",
    "backing-off": "backing-off",
}


def fleet(
    views: Sequence[EngineObservation],
    pool: tuple[Gpu, ...],
    host: str,
    stale_after_s: float,
    pooled: Pooled = ((), ()),
) -> EnginesSummary:
    """Everything the snapshot says of engines; `host` is where their processes are looked for.

    `pooled` are observations of engines whose rates carry none: TTFT, inter-token.
    """
    rows = [seen(view, stale_after_s) for view in views]
    counted = _counted(rows)
    engines = tuple(row(s) for s in rows)
    pool = named(pool, engines, host)
    llm = _llm(counted)
    ages = [s.view.age_s for s in rows if s.view.age_s is not None]
    return EnginesSummary(
        gpus=pool,
        engines=with_vram(engines, pool),
        services=tuple(map(_service, rows, engines)),
        llm=llm._replace(partial=llm.partial or any(_withheld(s) for s in rows)),
        seats=_seats(counted),
        throughput=_throughput([s for s in counted if s.recent], pooled),
        reports=any(s.state in SPEAKING for s in counted),
        age_s=min(ages, default=None),
    )


def named(pool: Iterable[Gpu], engines: Sequence[Engine], host: str) -> tuple[Gpu, ...]:
    """The GPUs with this host's processes assigned to their engines, workers included."""
    owners = {pid: engine.id for engine in engines for pid in engine.pids}
    return tuple(_named(gpu, owners) if gpu.node in (None, host) else gpu for gpu in pool)


def with_vram(engines: Sequence[Engine], pool: Iterable[Gpu]) -> tuple[Engine, ...]:
    """The engines with the VRAM their processes hold, where they do not tell it themselves."""
    held: dict[str, int] = {}
    for process in (p for gpu in pool if gpu.mig is None for p in gpu.processes or ()):
        if process.engine is not None and process.vram_bytes is not None:
            held[process.engine] = held.get(process.engine, 0) + process.vram_bytes
    return tuple(
        e._replace(vram_bytes=held.get(e.id)) if e.vram_bytes is None else e for e in engines
    )


def _named(gpu: Gpu, owners: dict[int, str]) -> Gpu:
    if not owners or not gpu.processes:
        return gpu
    return gpu._replace(
        processes=tuple(p._replace(engine=owners.get(p.pid, p.engine)) for p in gpu.processes)
    )


def _counted(rows: Sequence[Seen]) -> list[Seen]:
    """The rows to sum: engines before routers, those that answer before the silent."""
    known = [s for s in rows if s.reading is not None]
    return [s for s in known if s.reading and not s.reading.router] or known


def _withheld(one: Seen) -> bool:
    """Somebody is there and has told nothing; who refuses connections serves nobody."""
    outcome = one.view.outcome
    if one.reading is not None or not isinstance(outcome, Failure):
        return False
    return outcome.kind not in UNREACHABLE


def _llm(counted: Sequence[Seen]) -> Llm:
    heard = [s for s in counted if s.state not in SILENT_STATES] or list(counted)
    serving = [s for s in heard if s.state not in NOT_SERVING]
    if not heard:
        return Llm()
    active, queued, slots = (_total(serving, name) for name in ("active", "queued", "max_slots"))
    usage = [s.reading.kv_cache for s in serving if s.reading and s.reading.kv_cache is not None]
    silent_left_out = len(heard) < len(counted)
    return Llm(
        active=active.value,
        queued=queued.value,
        max_slots=slots.value,
        free=None
        if active.value is None or slots.value is None
        else max(0, slots.value - active.value),
        models=_models(heard),
        kv_cache=max(usage, default=None),
        back_pressure=_back_pressure(serving),
        partial=silent_left_out or active.partial or queued.partial or slots.partial,
        source=ENGINES,
        age_s=min((s.view.age_s for s in heard if s.view.age_s is not None), default=None),
        stale=all(s.state in SILENT_STATES for s in heard),
    )


class _Total(NamedTuple):
    value: int | None
    partial: bool


def _total(rows: Sequence[Seen], name: str) -> _Total:
    """The sum over those that say it; partial where somebody would not."""
    said = [getattr(s.reading, name) for s in rows]
    known = [value for value in said if value is not None]
    return _Total(sum(known) if known else None, len(known) < len(said))


def _seats(counted: Sequence[Seen]) -> SlotTotals:
    heard = [s for s in counted if s.state not in SILENT_STATES] or list(counted)
    seated = [s.reading for s in heard if s.reading and s.reading.max_slots]
    if not seated:
        return SlotTotals()
    active = [r.active for r in seated if r.active is not None]
    queued = [r.queued for r in seated if r.queued is not None]
    return SlotTotals(
        sum(active) if active else None,
        sum(queued) if queued else None,
        sum(r.max_slots or 0 for r in seated),
    )


def _models(heard: Sequence[Seen]) -> tuple[str, ...] | None:
    said = [s.reading.models for s in heard if s.reading and s.state != "asleep"]
    names = {name for models in said if models is not None for name in models}
    if not names and all(models is None for models in said):
        return None
    return tuple(sorted(names, key=lambda name: (name.casefold(), name)))


def _back_pressure(rows: Sequence[Seen]) -> bool | None:
    said = [value for s in rows if (value := s.back_pressure) is not None]
    return any(said) if said else None


def _throughput(rows: Sequence[Seen], pooled: Pooled) -> Throughput:
    """Sums of rates, and quantiles of all engines' observations put together."""
    rates = [s.view.rates for s in rows]
    windows = [r.window for r in rates]
    ttft = quantiles([*pooled[0], *(r.ttft for r in rates if r.ttft is not None)], 0.5, 0.95)
    itl = quantiles([*pooled[1], *(r.itl for r in rates if r.itl is not None)], 0.5, 0.95)
    counters = [s.reading.counters for s in rows if s.reading]
    return Throughput(
        prompt_tokens_per_s=_sum(r.prompt_tokens_per_s for r in rates),
        generation_tokens_per_s=_sum(s.generation_tokens_per_s for s in rows),
        requests_per_s=_sum(r.requests_per_s for r in rates),
        ttft_s=ttft[0],
        itl_s=itl[0],
        ttft_p95_s=ttft[1],
        itl_p95_s=itl[1],
        prefix_hit_ratio=ratio(
            gained(windows, lambda w: w.prefix_hits), gained(windows, lambda w: w.prefix_queries)
        ),
        burn=burn(windows),
        preemptions=_whole(counters, lambda c: c.preemptions),
        finished=Finished(
            stop=_whole(counters, lambda c: c.stop),
            length=_whole(counters, lambda c: c.length),
            abort=_whole(counters, lambda c: c.abort),
            error=_whole(counters, lambda c: c.error),
        ),
    )


def _whole(counters: Sequence[Counters], of: Callable[[Counters], float | None]) -> int | None:
    total = gained(counters, of)
    return None if total is None else round(total)


def _sum(numbers: Iterable[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _service(one: Seen, engine: Engine) -> Service:
    """The engine in the health strip; what its state means for the user stands as its error."""
    view = one.view
    return Service(
        name=engine.model or engine.name or view.id.replace("@", " ", 1),
        kind=view.kind,
        url=view.url,
        state=_SERVICE_STATES.get(one.state, "online"),
        latency_ms=engine.latency_ms,
        age_s=view.age_s,
        error=engine.error or (engine.advice if one.state != "online" else None),
        reason=engine.reason,
    )
