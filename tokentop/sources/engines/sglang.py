"""SGLang: /v1/loads and /metrics at every poll, the names once a minute.

Never requested: `/health` and `/health_generate`, each of which runs a token through the model.
`/v1/loads` (0.5.10 and later) is fresher than the gauges and has the slots, which no metric has;
older servers have them in `/get_server_info`, a scheduler round trip made once a minute.
"""

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.answers import document_of, models_of, owners_of
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
from tokentop.sources.engines.series import Series, parse_page, read_counters
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.metrics_page import Page, ratio, whole

LOADS = "/v1/loads"
METRICS = "/metrics"
SERVER_INFO = "/get_server_info"
NAMES = "/v1/models"

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
        self._models: tuple[str, ...] | None = None
        self._reported: int | None = None
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
        if core is None and not page:
            return self._silent(loads, metrics)
        reading = self._read(core, page)
        if status_of(loads) in (401, 403) and reading.max_slots is None:
            return reading._replace(advice=KEY_FOR_SLOTS)
        return reading

    def _remember_names(self, answer: Answer | Failure | None, now: float) -> None:
        names = models_of(answer)
        if names is not None:
            self._models = names
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
        self._info_due.done(now)

    def _silent(
        self, loads: Answer | Failure, metrics: Answer | Failure
    ) -> EngineReading | Failure:
        blank = EngineReading("sglang", version=self._version, models=self._models)
        blank = blank._replace(model=self._models[0] if self._models else None)
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
        if page:
            reading = _with_counters(read_gauges(reading, page), page)
        names = self._models or (page.label_values(RUNNING, "model_name") if page else ()) or None
        slots, source = best_slots(reading.max_slots or self._reported, self._hints, None)
        return reading._replace(
            version=reading.version or self._version,
            models=names,
            model=names[0] if names else None,
            max_slots=slots,
            slots_source=source,
        )


def _page(answer: Answer | Failure) -> Page | None:
    if not isinstance(answer, Answer) or is_html(answer):
        return None
    return parse_page(answer.body, WANTED)


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
    active = _sum([rank.count("active", "num_running_reqs") for rank in ranks])
    throughput = _sum([rank.amount("rate", "gen_throughput") for rank in ranks])
    usage = [u for rank in ranks if (u := rank.ratio("kv_cache", "token_usage")) is not None]
    return EngineReading(
        "sglang",
        version=values.Fields(document).text("version"),
        active=None if active is None else round(active),
        queued=whole(_sum([rank.count("queued", "num_waiting_reqs") for rank in ranks])),
        max_slots=whole(_sum([rank.count("slots", "max_running_requests") for rank in ranks])),
        kv_cache=max(usage, default=None),
        # On a drained server the last window's figure stays.
        generation_tokens_per_s=0.0 if active == 0 else throughput,
        bad=tuple(dict.fromkeys(name for rank in ranks for name in rank.bad)),
    )


def read_gauges(reading: EngineReading, page: Page) -> EngineReading:
    """What runs and waits, where /v1/loads did not have it."""
    active = reading.active
    if active is None:
        active = whole(_over_ranks(page, RUNNING))
    queued = reading.queued
    if queued is None:
        queued = whole(_over_ranks(page, QUEUED))
    usage, rate = reading.kv_cache, reading.generation_tokens_per_s
    if rate is None:  # on a drained server the last window's figure stays
        rate = 0.0 if active == 0 else _over_ranks(page, THROUGHPUT)
    return reading._replace(
        active=active,
        queued=queued,
        kv_cache=ratio(page.highest(*SERIES.kv_cache)) if usage is None else usage,
        generation_tokens_per_s=rate,
    )


def _with_counters(reading: EngineReading, page: Page) -> EngineReading:
    """Live counts before those that move when a request ends; ranks repeat each other in them."""
    reading = read_counters(reading, page, SERIES)
    ended = reading.counters
    prompt = _over_ranks(page, *SERIES.live_prompt_tokens)
    generated = _over_ranks(page, *SERIES.live_generation_tokens)
    counters = ended._replace(
        prompt_tokens=ended.prompt_tokens if prompt is None else prompt,
        generation_tokens=ended.generation_tokens if generated is None else generated,
        preemptions=_over_ranks(page, *SERIES.preemptions),
        prefix_queries=prompt,
        prefix_hits=None if prompt is None else _over_ranks(page, *SERIES.prefix_hits),
    )
    return reading._replace(counters=counters)


def _over_ranks(page: Page, *names: str) -> float | None:
    """The first of these series that is there: the highest of each data-parallel rank, added.

    Tensor-parallel ranks repeat each other. With priority scheduling the row without a priority
    is the total of the others.
    """
    rows = next((found for name in names if (found := page.samples(name))), [])
    if any(not s.labels.get("priority") for s in rows):
        rows = [s for s in rows if not s.labels.get("priority")]
    ranks: dict[tuple[str, ...], float] = {}
    for sample in rows:
        rank = tuple(sample.labels.get(name, "") for name in APART)
        ranks[rank] = max(ranks.get(rank, sample.value), sample.value)
    return sum(ranks.values()) if ranks else None


def _sum(numbers: list[float | None] | list[int | None]) -> float | None:
    known = [n for n in numbers if n is not None]
    return float(sum(known)) if known else None


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
