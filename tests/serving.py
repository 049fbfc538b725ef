"""Engines under a steady load, as the collector observes them after a minute of polls."""

from typing import NamedTuple

from tokentop.domain.engines.observation import EngineObservation, latencies
from tokentop.domain.engines.rates import Rates, RateTracker
from tokentop.domain.engines.readings import (
    Counters,
    EngineHealth,
    EngineKind,
    EngineReading,
    Histogram,
    Histograms,
    SlotProgress,
    SlotsSource,
    TeamSpend,
)
from tokentop.domain.readings import Failure
from tokentop.domain.snapshot_engines import Finished

NOW = 5000.0  # monotonic seconds at which every example is looked at
AGE_S = 0.4  # of an answer of the latest poll
MINUTE_S = 60.0


class Serving(NamedTuple):
    """One engine under a steady load; the fields are named as in Engine, rates are per second.

    `ttft` to `decode` are (median, 95th percentile) in seconds. Of the requests of the last minute
    the share `burn` was aborted, and `preempted` were set back. `finished` holds
    what ended before that minute. `uncounted`: its slots went on to other tasks between polls.
    `age_s` is that of its last good answer, None where it never gave one; with a `failure` it has
    failed since.
    """

    kind: EngineKind
    port: int
    model: str | None = None
    version: str | None = None
    active: int | None = None
    queued: int | None = None
    max_slots: int | None = None
    slots_source: SlotsSource | None = "reported"
    kv_cache: float | None = None
    kv_estimated: bool = False
    prompt: float | None = None
    generation: float | None = None
    requests: float | None = None
    ttft: tuple[float, float] | None = None
    itl: tuple[float, float] | None = None
    e2e: tuple[float, float] | None = None
    queue: tuple[float, float] | None = None
    prefill: tuple[float, float] | None = None
    decode: tuple[float, float] | None = None
    prefix_hits: float | None = None
    burn: float | None = None
    preempted: int | None = None
    finished: Finished = Finished()
    uncounted: bool = False
    pids: tuple[int, ...] = ()
    latency_ms: float | None = 3.1
    health: EngineHealth = "online"
    advice: str | None = None
    models: tuple[str, ...] | None = None
    router: bool = False
    backends: tuple[str, ...] = ()
    spend: tuple[TeamSpend, ...] = ()
    age_s: float | None = AGE_S
    failure: Failure | None = None
    backing_off: bool = False
    host: str = "127.0.0.1"
    kv_gib: float | None = None  # its KV cache on each GPU

    @property
    def id(self) -> str:
        return f"{self.kind}@{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def observed(one: Serving) -> EngineObservation:
    """The engine as the collector shows it after a minute of polls."""
    tracker, reading = RateTracker(), None
    for before_s in (MINUTE_S, 8.0, 0.0):
        reading = _reading(one, before_s)
        tracker.add(reading, NOW - before_s)
    answered = one.age_s is not None
    return EngineObservation(
        id=one.id,
        kind=one.kind,
        url=one.url,
        reading=reading if answered else None,
        rates=tracker.rates() if answered else Rates(),
        age_s=one.age_s,
        outcome=one.failure or "ok",
        backing_off=one.backing_off,
        latency_s=None if one.latency_ms is None else one.latency_ms / 1000,
        pids=one.pids,
        model_hint=one.model,
        read_before=answered,
        unserved_since=None if one.failure is None else NOW - (one.age_s or AGE_S),
    )


def scraped(one: Serving, group: str) -> EngineObservation:
    """The engine as a Prometheus server knows it, one of a group."""
    direct = observed(one)
    return direct._replace(
        url=None,
        name=f"{one.host}:{one.port}",
        source="prometheus",
        group=group,
        latency_s=None,
        rates=direct.rates._replace(tokens_seen=None),  # the server tells rates, no totals
        latencies=latencies(direct.rates.latencies),
        lag_s=min(one.age_s or 0.0, AGE_S),
    )


def prometheus(url: str = "http://prom:9090") -> EngineObservation:
    """The server that a fleet is read through, itself a row."""
    return EngineObservation(
        id="prometheus",
        kind="prometheus",
        url=url,
        name=f"prometheus {url.partition('://')[2]}",
        reading=EngineReading("openai", router=True),
        age_s=AGE_S,
        outcome="ok",
        latency_s=0.041,
        source="prometheus",
    )


def _reading(one: Serving, before_s: float) -> EngineReading:
    """What the engine answered `before_s` seconds before its last answer."""
    return EngineReading(
        kind=one.kind,
        version=one.version,
        model=one.model,
        models=one.models if one.models or not one.model else (one.model,),
        active=one.active,
        queued=one.queued,
        max_slots=one.max_slots,
        slots_source=one.slots_source if one.max_slots is not None else None,
        kv_cache=one.kv_cache,
        kv_estimated=one.kv_estimated,
        counters=_counters(one, before_s),
        slots=_slots(one, before_s) if one.uncounted else None,
        latencies=Histograms(*(_histogram(getattr(one, f), before_s) for f in Histograms._fields)),
        router=one.router,
        backends=one.backends,
        spend=one.spend,
        health=one.health,
        advice=one.advice,
        kv_gpu_bytes=None if one.kv_gib is None else round(one.kv_gib * 2**30),
    )


def _counters(one: Serving, before_s: float) -> Counters:
    """Totals that rose steadily over the last hour, and by the minute's requests at its end."""

    def total(rate: float | None) -> float | None:
        return None if rate is None else rate * (3600.0 - before_s)

    ended = None if one.requests is None else one.requests * (MINUTE_S - before_s)
    broken = None if one.burn is None or ended is None else one.burn * ended
    done, preempted = one.finished, one.preempted
    return Counters(
        prompt_tokens=total(one.prompt),
        generation_tokens=total(one.generation),
        requests=total(one.requests),
        preemptions=None if preempted is None else preempted * (1 - before_s / MINUTE_S),
        prefix_queries=None if one.prefix_hits is None else total(one.prompt),
        prefix_hits=None if one.prefix_hits is None else one.prefix_hits * (total(one.prompt) or 0),
        stop=None if done.stop is None else done.stop + (ended or 0.0) - (broken or 0.0),
        length=done.length,
        abort=None if done.abort is None else done.abort + (broken or 0.0),
        error=done.error,
    )


def _slots(one: Serving, before_s: float) -> tuple[SlotProgress, ...]:
    """One slot at the same task throughout, and one that has gone on to another since."""
    generated = (one.generation or 0.0) * (3600.0 - before_s)
    prompt = (one.prompt or 0.0) * (3600.0 - before_s)
    return (
        SlotProgress("slot0/1", round(generated), round(prompt)),
        SlotProgress(f"slot1/{2 if before_s else 3}", 0),
    )


def _histogram(spread: tuple[float, float] | None, before_s: float) -> tuple[Histogram, ...]:
    """A hundred observations in the last minute; the 99th percentile is 1.5 times the 95th."""
    if spread is None:
        return ()
    counts = (0.0, 0.0, 0.0, 0.0) if before_s >= MINUTE_S else (50.0, 95.0, 99.0, 100.0)
    bounds = (*spread, 1.5 * spread[1], float("inf"))
    return (Histogram(tuple(zip(bounds, counts, strict=True))),)
