"""SGLang: /v1/loads and /metrics at every poll, the names once a minute.

Never requested: `/health` and `/health_generate`, each of which runs a token through the model.
`/v1/loads` (0.5.10 and later) is fresher than the gauges and has the slots, which no metric has;
older servers have them in `/get_server_info`, a scheduler round trip made once a minute.
"""

from collections.abc import Iterable
from typing import TypeGuard

from tokentop.domain.engines.readings import EngineKind, EngineReading, LabelSets
from tokentop.domain.numbers import whole
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.answers import (
    MAX_MODELS,
    ModelNames,
    document_of,
    names_of,
    owners_of,
)
from tokentop.sources.engines.protocol import (
    AUTH_REQUIRED,
    Answer,
    Answers,
    Hints,
    Paths,
    PollProtocol,
    Throttle,
    is_html,
    status_of,
)
from tokentop.sources.engines.series import Series, merged, parse_page, read_counters
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page, Sample

Memory = tuple[int | None, int | None]  # bytes on each GPU: of the KV cache, of the weights

GIB = 2**30  # SGLang's "gb"
LOADS = "/v1/loads"
METRICS = "/metrics"
SERVER_INFO = "/get_server_info"
NAMES = "/v1/models"

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
KEY_FOR_SLOTS = "With its API key (token_env) the server reports its slots too."


class Sglang:
    """One SGLang server with all its ranks."""

    kind: EngineKind = "sglang"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._names_due = Throttle()
        self._info_due = Throttle()
        self._names: ModelNames | None = None
        self._reported: int | None = None
        self._memory: Memory = (None, None)
        self._version: str | None = None

    def poll(self, now: float) -> PollProtocol:
        rare: Paths = (NAMES,) if self._names_due.due(now) else ()
        answers = yield (LOADS, METRICS, *rare)
        loads, metrics = answers[LOADS], answers[METRICS]
        self._remember_names(answers.get(NAMES), now)
        if status_of(loads) == 404 and self._info_due.due(now):
            older = yield (SERVER_INFO,)
            self._remember_info(older[SERVER_INFO], now)
        page = _page(metrics)
        core = _core(loads)
        if core is None and page is None:
            return self._silent(loads, metrics)
        reading = self._read(core, page)
        if status_of(loads) in (401, 403) and reading.max_slots is None:
            return reading._replace(advice=KEY_FOR_SLOTS)
        return reading

    def _remember_names(self, answer: Answer | Failure | None, now: float) -> None:
        names = names_of(answer)
        if names is not None:
            self._names = names
            self._names_due.done(now)

    def _remember_info(self, answer: Answer | Failure, now: float) -> None:
        if not isinstance(answer, Answer):
            return
        info = document_of(answer)
        fields = values.Fields(info)
        self._version = fields.text("version") or self._version
        states = info.get("internal_states")
        per_rank = [
            values.Fields(state).count("slots", "effective_max_running_requests_per_dp")
            for state in (states if isinstance(states, list) else ())
            if isinstance(state, dict)
        ]
        self._reported = sum(n for n in per_rank if n) or fields.count("max_running_requests")
        self._memory = _memory(states, "memory_usage", "kvcache", "weight")
        self._info_due.done(now)

    def _silent(
        self, loads: Answer | Failure, metrics: Answer | Failure
    ) -> EngineReading | Failure:
        blank = self._named(EngineReading("sglang", version=self._version), None)
        if status_of(loads) in (401, 403):
            return blank._replace(health="auth-required", advice=AUTH_REQUIRED)
        if status_of(loads) == 404:
            return blank._replace(
                health="no-metrics",
                advice="Statistics are disabled: start SGLang with --enable-metrics.",
            )
        if isinstance(loads, Failure):
            return loads
        return metrics if isinstance(metrics, Failure) else Failure("bad-data", "No statistics.")

    def _read(self, core: EngineReading | None, page: Page | None) -> EngineReading:
        reading = core or EngineReading("sglang")
        if page is not None:
            reading = _with_counters(read_gauges(reading, page), page)
        slots, source = best_slots(reading.max_slots or self._reported, self._hints, None)
        return self._named(reading, page)._replace(
            version=reading.version or self._version,
            max_slots=slots,
            slots_source=source,
            kv_gpu_bytes=reading.kv_gpu_bytes or self._memory[0],
            weights_gpu_bytes=reading.weights_gpu_bytes or self._memory[1],
        )

    def _named(self, reading: EngineReading, page: Page | None) -> EngineReading:
        known = self._names or ModelNames()
        names, more = known.models, 0
        if page is not None and not names:
            found = page.label_values(RUNNING, "model_name")
            names, more = found[:MAX_MODELS], max(0, len(found) - MAX_MODELS)
        return reading._replace(
            models=names or None,
            model=names[0] if names else None,
            aliases=known.aliases,
            adapters=known.adapters,
            names_more=known.more + more,
        )


def _page(answer: Answer | Failure) -> Page | None:
    """The metrics; None where the page has none of SGLang's."""
    if not isinstance(answer, Answer) or is_html(answer):
        return None
    page = parse_page(answer.body, WANTED)
    return page if page.has_any(PREFIX) else None


def _core(answer: Answer | Failure) -> EngineReading | None:
    """The figures of /v1/loads over all data-parallel ranks; None where there are none."""
    if not isinstance(answer, Answer):
        return None
    try:
        document = values.mapping(values.load(answer.body))
        ranks = [values.Fields(r) for r in values.rows(document, "loads") if isinstance(r, dict)]
    except values.BadData:
        return None
    if not ranks:
        return None
    active = _added(ranks, "active", "num_running_reqs")
    rate = _added(ranks, "generation_tokens_per_s", "gen_throughput")
    memory = _memory(list(values.rows(document, "loads")), "memory", "kv_cache_gb", "weight_gb")
    usage = [rank.share("kv_cache", "token_usage") for rank in ranks]
    known = [share for share in usage if share is not None]
    bad = tuple(dict.fromkeys(name for rank in ranks for name in rank.bad))
    return EngineReading(
        "sglang",
        version=values.Fields(document).text("version"),
        active=whole(active),
        queued=whole(_added(ranks, "queued", "num_waiting_reqs")),
        max_slots=whole(_added(ranks, "max_slots", "max_running_requests")),
        kv_cache=None if "kv_cache" in bad else max(known, default=None),
        # On a drained server the last window's figure stays.
        generation_tokens_per_s=0.0 if active == 0 else rate,
        kv_gpu_bytes=memory[0],
        weights_gpu_bytes=memory[1],
        bad=bad,
    )


def _memory(ranks: object, name: str, cache: str, weights: str) -> Memory:
    """Bytes of the KV cache and of the weights on each rank's GPU, from the GiB in its `name`."""
    found = [rank.get(name) for rank in ranks if isinstance(rank, dict)] if _is_list(ranks) else []
    own = [values.Fields(each) for each in found if isinstance(each, dict)]
    return _alike(own, cache), _alike(own, weights)


def _alike(ranks: Iterable[values.Fields], name: str) -> int | None:
    """The bytes where every rank has as many."""
    sizes = {rank.amount(name) for rank in ranks}
    size = sizes.pop() if len(sizes) == 1 else None
    return round(size * GIB) if size else None


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _added(ranks: Iterable[values.Fields], figure: str, name: str) -> float | None:
    """The sum of the ranks that have it; None where it is unusable in one of them."""
    numbers = [(rank.amount(figure, name), figure in rank.bad) for rank in ranks]
    known = [number for number, _ in numbers if number is not None]
    return sum(known) if known and not any(bad for _, bad in numbers) else None


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


def _with_counters(reading: EngineReading, page: Page) -> EngineReading:
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


def _is_sglang(answers: Answers) -> bool:
    """By its loads; an older server by its names."""
    if LOADS not in answers:
        return False
    loads = document_of(answers[LOADS]).get("loads")
    return isinstance(loads, list) or "sglang" in (owners_of(answers.get(NAMES)) or ())


SPEC = EngineSpec(
    "sglang",
    Sglang,
    port=30000,
    command=CommandLine(
        ("sglang", "sglang.launch_server"),
        prefixes=("sglang::", "sglang.srt."),
        subcommands=("serve",),
        slot_flags=(("--max-running-requests",),),
        model_flags=(("--served-model-name",), ("--model-path", "--model")),
    ),
    series=SERIES,
    read_gauges=read_gauges,
    signature=Signature(then=(LOADS,), recognise=_is_sglang, series="sglang:"),
)
