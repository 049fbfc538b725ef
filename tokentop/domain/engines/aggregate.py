"""Engines -> their rows, their sum as LLM slots, and their merged throughput.

A router's traffic is the engines' traffic: its row is shown, its figures are added only where no
engine is known at all. Figures that are not of now are in no sum; an engine that does not report
makes a sum partial, never smaller in silence.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from tokentop.domain.economy.burn import burn
from tokentop.domain.engines.bounded import MAX_NAMES
from tokentop.domain.engines.observation import FIGURES, EngineObservation, latencies
from tokentop.domain.engines.readings import Counters, Histograms, fullest_kv
from tokentop.domain.engines.rows import back_pressure, flat, gained, generation_rate, row
from tokentop.domain.engines.summary import ENGINES, EnginesSummary
from tokentop.domain.gpu_pool import counted
from tokentop.domain.numbers import ratio, total, whole
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import UNREACHABLE
from tokentop.domain.snapshot import Gpu, Llm, Service
from tokentop.domain.snapshot_engines import NOT_SERVING, Engine, Finished, Throughput

# These have reserved their VRAM whatever they report: VRAM says nothing about their load.
_RESERVING = (*FIGURES, "no-metrics", "stale", "backing-off")


def summarize(
    observations: Sequence[EngineObservation],
    pool: tuple[Gpu, ...],
    host: str,
    pooled: Histograms | None = None,
    *,
    burn_counts_length: bool = False,
) -> EnginesSummary:
    """Everything about engines in the snapshot; `host` is where their processes are looked up.

    `pooled` are observations of engines whose rates carry none. Requests that end at the length
    limit are silent burn where `burn_counts_length`.
    """
    counted = _counted(observations)
    engines = tuple(row(one, burn_counts_length=burn_counts_length) for one in observations)
    wasted = burn([one.rates.window for one in counted], counts_length=burn_counts_length)
    pool = named(pool, engines, host)
    ages = [one.age_s for one in observations if one.age_s is not None]
    return EnginesSummary(
        gpus=pool,
        engines=with_vram(engines, pool),
        services=tuple(map(_service, observations, engines)),
        llm=_llm(counted, observations),
        throughput=_throughput(counted, pooled or Histograms())._replace(burn=wasted),
        reports=any(one.state in _RESERVING for one in observations if one.reading is not None),
        age_s=min(ages, default=None),
    )


def named(pool: Iterable[Gpu], engines: Sequence[Engine], host: str) -> tuple[Gpu, ...]:
    """The GPUs with this host's processes assigned to their engines, workers included."""
    owners = {pid: engine.id for engine in engines for pid in engine.pids}
    return tuple(_named(gpu, owners) if gpu.node in (None, host) else gpu for gpu in pool)


def with_vram(engines: Sequence[Engine], pool: Iterable[Gpu]) -> tuple[Engine, ...]:
    """The engines with the VRAM of their processes, where they do not report it themselves."""
    held: dict[str, int] = {}
    for process in (p for gpu in counted(pool) for p in gpu.processes or ()):
        if process.engine is not None and process.vram_bytes is not None:
            held[process.engine] = held.get(process.engine, 0) + process.vram_bytes
    return tuple(
        e._replace(vram_bytes=held[e.id]) if e.vram_bytes is None and e.id in held else e
        for e in engines
    )


def _named(gpu: Gpu, owners: dict[int, str]) -> Gpu:
    if not owners or not gpu.processes:
        return gpu
    return gpu._replace(
        processes=tuple(p._replace(engine=owners.get(p.pid, p.engine)) for p in gpu.processes)
    )


def _counted(observations: Sequence[EngineObservation]) -> list[EngineObservation]:
    """Those whose figures are of now: engines, and routers where no engine was ever read."""
    known = [one for one in observations if one.reading is not None]
    engines = [one for one in known if one.reading is not None and not one.reading.router]
    return [one for one in engines or known if one.figures is not None]


def _withheld(one: EngineObservation) -> bool:
    """It is there and reports nothing; one that refuses connections serves no request."""
    if one.figures is not None or one.outcome is None or one.kind == "prometheus":
        return False
    if one.reading is not None and one.reading.router:
        return False
    refused = isinstance(one.outcome, Failure) and one.outcome.kind in UNREACHABLE
    return not refused and one.state not in NOT_SERVING


def _llm(counted: Sequence[EngineObservation], observations: Sequence[EngineObservation]) -> Llm:
    """The sums over the engines that serve; free slots are of those that report slots."""
    read = [one for one in observations if one.reading is not None]
    if not read:
        return Llm(partial=any(map(_withheld, observations)))
    readings = [one.figures for one in counted if one.state == "online"]
    serving = [reading for reading in readings if reading is not None]
    slotted = [r for r in serving if r.active is not None and r.max_slots is not None]
    kv_cache, kv_estimated = fullest_kv(serving)
    ages = [one.age_s for one in counted or read if one.age_s is not None]
    free = sum(max(0, (r.max_slots or 0) - (r.active or 0)) for r in slotted)
    unsaid = any(None in (r.active, r.queued, r.max_slots) for r in serving)
    models, more = _models([one for one in counted if one.state == "online"])
    return Llm(
        active=total(r.active for r in serving),
        queued=total(r.queued for r in serving),
        max_slots=total(r.max_slots for r in serving),
        free=free if slotted else None,
        models=models,
        models_more=more,
        kv_cache=kv_cache,
        back_pressure=_back_pressure(counted),
        partial=unsaid or any(map(_withheld, observations)),
        source=ENGINES,
        age_s=max(ages, default=None) if counted else min(ages, default=None),
        stale=not counted,
        slots_estimated=any(r.slots_estimated for r in serving),
        kv_estimated=kv_estimated,
    )


def _models(loaded: Sequence[EngineObservation]) -> tuple[tuple[str, ...] | None, int]:
    """The names in order, and how many more there are at most."""
    readings = [one.reading for one in loaded if one.reading is not None]
    listed = [reading.models for reading in readings]
    names = {name for models in listed if models is not None for name in models}
    if not names and all(models is None for models in listed):
        return None, 0
    ordered = sorted(names, key=lambda name: (name.casefold(), name))
    more = sum(reading.names_more for reading in readings)
    return tuple(ordered[:MAX_NAMES]), more + max(0, len(ordered) - MAX_NAMES)


def _back_pressure(counted: Sequence[EngineObservation]) -> bool | None:
    answers = [value for one in counted if (value := back_pressure(one)) is not None]
    return any(answers) if answers else None


def _throughput(counted: Sequence[EngineObservation], pooled: Histograms) -> Throughput:
    """Sums of rates, and quantiles of all engines' observations put together."""
    rates = [one.rates for one in counted]
    windows = [r.window for r in rates]
    every = zip(pooled, *(r.latencies for r in rates), strict=True)
    found = latencies(Histograms(*(tuple(chain.from_iterable(each)) for each in every)))
    counters = [one.figures.counters for one in counted if one.figures is not None]
    return Throughput(
        prompt_tokens_per_s=total(r.prompt_tokens_per_s for r in rates),
        generation_tokens_per_s=total(generation_rate(one) for one in counted),
        requests_per_s=total(r.requests_per_s for r in rates),
        **flat(found),
        latencies=found,
        prefix_hit_ratio=ratio(
            gained(windows, lambda w: w.prefix_hits), gained(windows, lambda w: w.prefix_queries)
        ),
        preemptions=_whole(counters, lambda c: c.preemptions),
        finished=Finished(
            stop=_whole(counters, lambda c: c.stop),
            length=_whole(counters, lambda c: c.length),
            abort=_whole(counters, lambda c: c.abort),
            error=_whole(counters, lambda c: c.error),
        ),
    )


def _whole(counters: Sequence[Counters], of: Callable[[Counters], float | None]) -> int | None:
    return whole(gained(counters, of))


def _service(one: EngineObservation, engine: Engine) -> Service:
    """The engine in the health strip; what its state means for the user stands as its error."""
    return Service(
        name=engine.model or engine.name or one.id.replace("@", " ", 1),
        kind=one.kind,
        url=one.url,
        state=one.state,
        latency_ms=engine.latency_ms,
        age_s=one.age_s,
        error=engine.error or (engine.advice if one.state != "online" else None),
        reason=engine.reason,
    )
