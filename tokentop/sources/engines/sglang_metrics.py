"""SGLang's metrics page: tensor-parallel ranks repeat each other, data-parallel ones add up."""

from collections.abc import Iterable

from tokentop.domain.engines.readings import EngineReading, LabelSets
from tokentop.domain.numbers import whole
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Answer, is_html
from tokentop.sources.engines.series import Series, merged, parse_page, read_counters
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page, Sample

PREFIX = "sglang:"
RUNNING = "sglang:num_running_reqs"
QUEUED = "sglang:num_queue_reqs"
THROUGHPUT = "sglang:gen_throughput"
LIVE = "sglang:realtime_tokens_total"
APART = ("model_name", "dp_rank", "mode", "priority")

SERIES = Series(
    presence=RUNNING,
    running=(RUNNING,),
    waiting=(QUEUED,),
    kv_cache=("sglang:token_usage",),
    gauges=(THROUGHPUT,),
    prompt_tokens=("sglang:prompt_tokens_total",),
    generation_tokens=("sglang:generation_tokens_total",),
    live_prompt_tokens=(f'{LIVE}{{mode=~"prefill_.*"}}',),
    live_generation_tokens=(f'{LIVE}{{mode="decode"}}',),
    requests=("sglang:num_requests_total",),
    preemptions=("sglang:num_retracted_requests_total",),
    prefix_queries=(f'{LIVE}{{mode=~"prefill_.*"}}',),
    prefix_hits=(f'{LIVE}{{mode="prefill_cache"}}',),
    abort=("sglang:num_aborted_requests_total", "sglang:num_aborted_requests"),
    ttft=("sglang:time_to_first_token_seconds",),
    itl=("sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds"),
    e2e=("sglang:e2e_request_latency_seconds",),
    queue=("sglang:queue_time_seconds",),
    prefill=('sglang:per_stage_req_latency_seconds{stage="prefill_forward"}',),
    labels=("model_name", "dp_rank", "mode", "is_streaming"),
    gauge_labels=("priority",),
)
WANTED = SERIES.wanted()


def page_of(answer: Answer | Failure) -> Page | None:
    """The metrics; None where the page has none of SGLang's."""
    if not isinstance(answer, Answer) or is_html(answer):
        return None
    page = parse_page(answer.body, WANTED)
    return page if page.has_any(PREFIX) else None


def read_gauges(reading: EngineReading, page: Page) -> EngineReading:
    """What runs and waits, where /v1/loads did not have it."""
    figures = Figures(page)
    active, queued = reading.active, reading.queued
    if active is None and "active" not in reading.bad:
        active = whole(_over_ranks(figures, "active", RUNNING))
    if queued is None and "queued" not in reading.bad:
        queued = whole(_over_ranks(figures, "queued", QUEUED))
    usage, rate = reading.kv_cache, reading.generation_tokens_per_s
    if usage is None and "kv_cache" not in reading.bad:
        usage = figures.ratio("kv_cache", *SERIES.kv_cache)
    if rate is None:  # on a drained server the last window's figure stays
        rate = 0.0 if active == 0 else _over_ranks(figures, "generation_tokens_per_s", THROUGHPUT)
    return reading._replace(
        active=active,
        queued=queued,
        kv_cache=usage,
        generation_tokens_per_s=rate,
        bad=merged(reading.bad, figures.bad),
    )


def with_counters(reading: EngineReading, page: Page) -> EngineReading:
    """Live counts before those that move when a request ends."""
    reading, figures = read_counters(reading, page, SERIES), Figures(page)
    prompt = _once(figures, "prompt_tokens", *SERIES.live_prompt_tokens)
    generated = _once(figures, "generation_tokens", *SERIES.live_generation_tokens)
    ended = reading.sets
    sets = ended._replace(
        prompt_tokens=prompt or ended.prompt_tokens,
        generation_tokens=generated or ended.generation_tokens,
        preemptions=_once(figures, "preemptions", *SERIES.preemptions),
        prefix_queries=prompt,
        prefix_hits=_once(figures, "prefix_hits", *SERIES.prefix_hits) if prompt else (),
    )
    bad = merged(reading.bad, figures.bad)
    return reading._replace(sets=sets, counters=sets.totals(), bad=bad)


def _once(figures: Figures, figure: str, *names: str) -> LabelSets:
    """One label set for each data-parallel rank: the first tensor-parallel one that counts."""
    ranks = _ranks(figures.samples(figure, *names))
    first = (next((row for row in rows if row.value), rows[0]) for rows in ranks)
    return tuple((row.key, row.value) for row in first)


def _over_ranks(figures: Figures, figure: str, *names: str) -> float | None:
    """The highest of each data-parallel rank, added; None where one of them is unusable."""
    ranks = _ranks(figures.complete(figure, *names))
    return sum(max(row.value for row in rank) for rank in ranks) if ranks else None


def _ranks(rows: Iterable[Sample]) -> list[list[Sample]]:
    """The samples by data-parallel rank; the tensor-parallel ranks in one repeat each other.

    With priority scheduling the row without a priority is the total of the others.
    """
    ordered = sorted(rows, key=lambda row: row.key)
    if any(not row.labels.get("priority") for row in ordered):
        ordered = [row for row in ordered if not row.labels.get("priority")]
    ranks: dict[tuple[str, ...], list[Sample]] = {}
    for row in ordered:
        rank = tuple(row.labels.get(name, "") for name in APART)
        ranks.setdefault(rank, []).append(row)
    return list(ranks.values())
