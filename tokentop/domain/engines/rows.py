"""One engine's observation -> its row in the snapshot."""

from collections.abc import Callable, Sequence

from tokentop.domain.economy.burn import burn
from tokentop.domain.engines.observation import EngineObservation, latencies
from tokentop.domain.engines.readings import Counters, EngineReading
from tokentop.domain.fold.last_good import listed
from tokentop.domain.numbers import ratio, total, whole
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot_engines import Engine, Finished, Latencies, Spend

FROZEN_AFTER_S = 30.0
STARTING = "Its process has started, but does not answer yet."
SEVERAL = (
    "several processes answer at this address in turn, so their rates cannot be told: name each"
    " by its own address in an [[engine]] section"
)
_NOTHING = EngineReading("openai")


def row(one: EngineObservation, *, burn_counts_length: bool = False) -> Engine:
    """The engine's row: what it is always, its figures only while they are of now."""
    named = one.reading or _NOTHING
    starting = one.state == "starting" and one.reading is None
    engine = Engine(
        id=one.id,
        kind=one.kind,
        url=one.url,
        version=named.version,
        model=one.model,
        models=named.models,
        preemptions=whole(named.counters.preemptions),
        finished=_finished(named.counters),
        state=one.state,
        age_s=one.age_s,
        name=one.name,
        rejections=whole(named.counters.rejections),
        advice=STARTING if starting else named.advice,
        error=problem(one),
        reason=reason_kind(one),
        latency_ms=None if one.latency_s is None else one.latency_s * 1000.0,
        source=one.source,
        group=one.group,
        router=named.router,
        backends=named.backends,
        spend=tuple(Spend(*account) for account in named.spend),
        pids=one.pids,
        aliases=named.aliases,
        adapters=named.adapters,
        names_more=named.names_more,
        tokens_seen=one.rates.tokens_seen,
    )
    if one.figures is None:
        return engine
    wasted = burn((one.rates.window,), counts_length=burn_counts_length)
    return _with_figures(engine, one, one.figures, wasted)


def flat(found: Latencies) -> dict[str, float | None]:
    """The latencies that have keys of their own, by these."""
    return {
        "ttft_s": found.ttft.p50_s,
        "itl_s": found.itl.p50_s,
        "ttft_p95_s": found.ttft.p95_s,
        "itl_p95_s": found.itl.p95_s,
    }


def _with_figures(
    engine: Engine, one: EngineObservation, reading: EngineReading, wasted: float | None
) -> Engine:
    rates = one.rates
    found = one.latencies or latencies(rates.latencies)
    return engine._replace(
        **flat(found),  # type: ignore[arg-type]  # all of them are seconds
        latencies=found,
        active=reading.active,
        queued=reading.queued,
        max_slots=reading.max_slots,
        slots_source=reading.slots_source,
        slots_estimated=reading.slots_estimated,
        kv_cache=reading.kv_cache,
        kv_estimated=reading.kv_estimated,
        back_pressure=back_pressure(one),
        vram_bytes=reading.vram_bytes,
        kv_gpu_bytes=reading.kv_gpu_bytes,
        weights_gpu_bytes=reading.weights_gpu_bytes,
        prompt_tokens_per_s=rates.prompt_tokens_per_s,
        generation_tokens_per_s=generation_rate(one),
        requests_per_s=rates.requests_per_s,
        prefix_hit_ratio=ratio(rates.window.prefix_hits, rates.window.prefix_queries),
        rate_at_least=rates.at_least,
        burn=wasted,
    )


def generation_rate(one: EngineObservation) -> float | None:
    """Generated tokens per second: from its counters, else what the server itself reports."""
    measured = one.rates.generation_tokens_per_s
    if measured is None and one.figures is not None:
        return one.figures.generation_tokens_per_s
    return measured


def back_pressure(one: EngineObservation) -> bool | None:
    """Whether it refused or set back requests within the last minute, or reports it itself."""
    window = one.rates.window
    reported = None if one.figures is None else one.figures.back_pressure
    counted = [n > 0 for n in (window.rejections, window.preemptions) if n is not None]
    answers = counted if reported is None else [*counted, reported]
    return any(answers) if answers else None


def gained(counters: Sequence[Counters], of: Callable[[Counters], float | None]) -> float | None:
    """One counter summed over engines; None where none has it."""
    return total(of(each) for each in counters)


def frozen(one: EngineObservation) -> bool:
    """Whether vLLM reports running requests that have made no token for a while."""
    reading = one.figures
    stuck = one.stuck_s > FROZEN_AFTER_S and reading is not None and one.state == "online"
    return stuck and reading is not None and reading.kind == "vllm" and bool(reading.active)


def problem(one: EngineObservation) -> str | None:
    """What is wrong with it, in one sentence."""
    if isinstance(one.outcome, Failure) and one.state != "starting":
        return one.outcome.text
    if one.figures is not None and one.figures.bad:
        return f"unusable values in {listed(one.figures.bad)}"
    if one.figures is not None and one.rates.several:
        return SEVERAL
    if frozen(one) and one.reading is not None:
        return (
            f"reports {one.reading.active} running requests, but has made no token for"
            f" {one.stuck_s:.0f} s: its engine core may have died"
        )
    return None


def reason_kind(one: EngineObservation) -> FailureKind | None:
    """The kind of failure behind `problem`."""
    if isinstance(one.outcome, Failure) and one.state != "starting":
        return one.outcome.kind
    return "bad-data" if one.figures is not None and one.figures.bad else None


def _finished(counters: Counters) -> Finished:
    return Finished(
        whole(counters.stop),
        whole(counters.length),
        whole(counters.abort),
        whole(counters.error),
    )
