"""SGLang: /v1/loads and /metrics at every poll, the names once a minute.

Never asked: `/health` and `/health_generate`, each of which runs a token through the model.
`/v1/loads` (0.5.10 and later) is fresher than the gauges and alone tells the seats; older servers
tell them in `/get_server_info`, a scheduler round trip that is asked once a minute.
"""

from collections.abc import Mapping

from tokentop.domain.engines.readings import Counters, EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import exposition
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
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.exposition import Page, Sample

LOADS = "/v1/loads"
METRICS = "/metrics"
SERVER_INFO = "/get_server_info"
NAMES = "/v1/models"

RUNNING = "sglang:num_running_reqs"
QUEUED = "sglang:num_queue_reqs"
KV_CACHE = "sglang:token_usage"
THROUGHPUT = "sglang:gen_throughput"
LIVE = "sglang:realtime_tokens_total"
PROMPT = "sglang:prompt_tokens_total"
GENERATION = "sglang:generation_tokens_total"
REQUESTS = "sglang:num_requests_total"
ABORTED = ("sglang:num_aborted_requests_total", "sglang:num_aborted_requests")
RETRACTED = "sglang:num_retracted_requests_total"
TTFT = "sglang:time_to_first_token_seconds"
ITL = ("sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds")
STARTED = "process_start_time_seconds"

WANTED = frozenset(
    (
        *(RUNNING, QUEUED, KV_CACHE, THROUGHPUT, LIVE, PROMPT, GENERATION, REQUESTS),
        *(*ABORTED, RETRACTED, STARTED),
        *exposition.histogram_names(TTFT, *ITL),
    )
)
KEY_TELLS_SLOTS = "With its API key (token_env) the server tells its slots too."


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
            return reading._replace(advice=KEY_TELLS_SLOTS)
        return reading

    def _remember_names(self, answer: Answer | Failure | None, now: float) -> None:
        names = models_of(answer)
        if names is not None:
            self._models = names
            self._names_due.done(now)

    def _remember_info(self, answer: Answer | Failure, now: float) -> None:
        if not isinstance(answer, Answer):
            return
        try:
            info = values.mapping(values.load(answer.body))
        except values.BadData:
            return
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
            reading = _with_metrics(reading, page)
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
    return exposition.parse(answer.body, WANTED)


def _core(answer: Answer | Failure) -> EngineReading | None:
    """What /v1/loads says, over its data-parallel ranks; None where it says nothing."""
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
        queued=exposition.whole(_sum([rank.count("queued", "num_waiting_reqs") for rank in ranks])),
        max_slots=exposition.whole(
            _sum([rank.count("slots", "max_running_requests") for rank in ranks])
        ),
        kv_cache=max(usage, default=None),
        # The last window's figure lingers on a drained server.
        generation_tokens_per_s=0.0 if active == 0 else throughput,
        bad=tuple(dict.fromkeys(name for rank in ranks for name in rank.bad)),
    )


def _with_metrics(reading: EngineReading, page: Page) -> EngineReading:
    usage = [s.value for s in page.samples(KV_CACHE)]
    active = (
        exposition.whole(_over_ranks(page, RUNNING)) if reading.active is None else reading.active
    )
    rate = reading.generation_tokens_per_s
    if rate is None:
        rate = 0.0 if active == 0 else _over_ranks(page, THROUGHPUT)
    return reading._replace(
        active=active,
        queued=exposition.whole(_over_ranks(page, QUEUED))
        if reading.queued is None
        else reading.queued,
        kv_cache=max(usage, default=None) if reading.kv_cache is None else reading.kv_cache,
        generation_tokens_per_s=rate,
        counters=_counters(page),
        ttft=page.histogram(TTFT),
        itl=page.histogram(*ITL),
        epoch=page.highest(STARTED),
    )


def _counters(page: Page) -> Counters:
    computed, cached = _live(page, "prefill_compute"), _live(page, "prefill_cache")
    prompt = None if computed is None else computed + (cached or 0.0)
    decoded = _live(page, "decode")
    return Counters(
        prompt_tokens=page.total(PROMPT) if prompt is None else prompt,
        generation_tokens=page.total(GENERATION) if decoded is None else decoded,
        requests=page.total(REQUESTS),
        preemptions=_over_ranks(page, RETRACTED),
        prefix_queries=prompt,
        prefix_hits=None if prompt is None else cached,
        abort=page.total(*ABORTED),
    )


def _live(page: Page, mode: str) -> float | None:
    rows = [s for s in page.samples(LIVE) if s.labels.get("mode") == mode]
    return _collapse(rows)


def _over_ranks(page: Page, name: str) -> float | None:
    return _collapse(page.samples(name))


def _collapse(rows: list[Sample]) -> float | None:
    """One figure from ranks that repeat each other: the highest of each data-parallel rank, added.

    With priority scheduling the row without a priority is the total of the others.
    """
    if any(not s.labels.get("priority") for s in rows):
        rows = [s for s in rows if not s.labels.get("priority")]
    ranks: dict[tuple[str, ...], float] = {}
    for sample in rows:
        key = _rank(sample.labels)
        ranks[key] = max(ranks.get(key, sample.value), sample.value)
    return sum(ranks.values()) if ranks else None


def _rank(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in ("model_name", "dp_rank", "priority"))


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
        r"sglang|sglang::.*|sglang\.launch_server|sglang\.srt\..*",
        subcommands=("serve",),
        slot_flags=(("--max-running-requests",),),
        model_flags=(("--served-model-name",), ("--model-path", "--model")),
    ),
    signature=Signature(then=(LOADS,), recognise=_is_sglang, series="sglang:"),
)
