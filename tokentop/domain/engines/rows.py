"""One engine's view -> its state in one word, and its row."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tokentop.domain.economy.burn import burn
from tokentop.domain.economy.demand import ratio
from tokentop.domain.engines.observation import EngineObservation, latency
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import Counters, EngineReading
from tokentop.domain.fold.last_good import listed
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import AUTH, FailureKind
from tokentop.domain.snapshot_engines import Engine, EngineState, Finished, Spend

OFFLINE_AFTER_S = 60.0  # for so long a silent engine's last figures mean something
FROZEN_AFTER_S = 30.0
STARTING = "Its process has started, but does not answer yet."


class Seen(NamedTuple):
    """One engine as it counts: `reading` is None once it has been silent for too long.

    `recent` tells that its last good answer is young enough for its rates to be of now.
    """

    view: EngineObservation
    state: EngineState
    reading: EngineReading | None
    recent: bool

    @property
    def generation_tokens_per_s(self) -> float | None:
        """From its counters; else what the server itself says."""
        measured = self.view.rates.generation_tokens_per_s
        if measured is None and self.reading is not None:
            return self.reading.generation_tokens_per_s
        return measured

    @property
    def back_pressure(self) -> bool | None:
        """True where it refused or set back requests within the last minute, or says so itself."""
        window = self.view.rates.window
        said = None if self.reading is None else self.reading.back_pressure
        counted = [n > 0 for n in (window.rejections, window.preemptions) if n is not None]
        known = counted if said is None else [*counted, said]
        return any(known) if known else None


def seen(view: EngineObservation, stale_after_s: float) -> Seen:
    """The engine's state, and what of its last reading may still be used."""
    silent_s = _silent_s(view)
    recent = silent_s is not None and silent_s <= stale_after_s
    state = _state(view, recent)
    gone = silent_s is None or silent_s > OFFLINE_AFTER_S + stale_after_s
    return Seen(view, state, None if gone else view.reading, recent)


def _silent_s(view: EngineObservation) -> float | None:
    return None if view.age_s is None else max(0.0, view.age_s - view.lag_s)


def _state(view: EngineObservation, recent: bool) -> EngineState:
    if view.outcome == "ok" and recent and view.reading is not None:
        return view.reading.health
    if view.starting and view.reading is None:
        return "starting"
    if view.backing_off:
        return "backing-off"
    if isinstance(view.outcome, Failure) and view.outcome.kind in AUTH:
        return "auth-required"
    silent_s = _silent_s(view)
    known = silent_s is not None and silent_s <= OFFLINE_AFTER_S
    return "stale" if known else "offline"


def row(one: Seen) -> Engine:
    """The engine's row; a silent engine keeps its name and its last figures for a while."""
    view = one.view
    reading = one.reading or EngineReading("openai")
    engine = Engine(
        id=view.id,
        kind=view.kind,
        url=view.url,
        version=reading.version,
        model=reading.model or view.model_hint,
        models=reading.models,
        active=reading.active,
        queued=reading.queued,
        max_slots=reading.max_slots,
        slots_source=reading.slots_source,
        kv_cache=reading.kv_cache,
        preemptions=_whole(reading.counters.preemptions),
        finished=_finished(reading.counters),
        state=one.state,
        age_s=view.age_s,
        name=view.name,
        rejections=_whole(reading.counters.rejections),
        kv_estimated=reading.kv_estimated,
        slots_estimated=reading.slots_source == "derived",
        back_pressure=one.back_pressure,
        advice=STARTING if one.reading is None and one.state == "starting" else reading.advice,
        error=_error(one),
        reason=_reason(one),
        latency_ms=None if view.latency_s is None else view.latency_s * 1000.0,
        source=view.source,
        group=view.group,
        router=reading.router,
        backends=reading.backends,
        spend=tuple(Spend(*account) for account in reading.spend),
        pids=view.pids,
        vram_bytes=reading.vram_bytes,
    )
    return _with_rates(engine, one, view.rates) if one.reading is not None else engine


def _with_rates(engine: Engine, one: Seen, rates: Rates) -> Engine:
    return engine._replace(
        **(one.view.latency or latency(rates))._asdict(),
        prompt_tokens_per_s=rates.prompt_tokens_per_s,
        generation_tokens_per_s=one.generation_tokens_per_s,
        requests_per_s=rates.requests_per_s,
        prefix_hit_ratio=ratio(rates.window.prefix_hits, rates.window.prefix_queries),
        burn=burn((rates.window,)),
        rate_at_least=rates.at_least,
    )


def gained(counters: Sequence[Counters], of: Callable[[Counters], float | None]) -> float | None:
    """One counter summed over engines; None where none has it."""
    known = [value for each in counters if (value := of(each)) is not None]
    return sum(known) if known else None


def _error(one: Seen) -> str | None:
    outcome = one.view.outcome
    if isinstance(outcome, Failure) and one.state != "starting":
        return outcome.text
    reading = one.reading
    if reading is not None and reading.bad:
        return f"unusable values in {listed(reading.bad)}"
    frozen = one.view.stuck_s > FROZEN_AFTER_S and one.state == "online"
    if frozen and reading is not None and reading.kind == "vllm" and reading.active:
        return (
            f"says that {reading.active} requests run, but has made no token for"
            f" {one.view.stuck_s:.0f} s: its engine core may have died"
        )
    return None


def _reason(one: Seen) -> FailureKind | None:
    outcome = one.view.outcome
    if isinstance(outcome, Failure) and one.state != "starting":
        return outcome.kind
    return "bad-data" if one.reading is not None and one.reading.bad else None


def _finished(counters: Counters) -> Finished:
    return Finished(
        _whole(counters.stop),
        _whole(counters.length),
        _whole(counters.abort),
        _whole(counters.error),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
