"""vLLM: /metrics at every poll, /version and /v1/models once a minute.

Metric names of every release since 0.8 (older names after newer ones); see the vLLM
documentation, "Production metrics". Not read: `/load` (0 unless tracking was enabled),
`cache_config_info{kv_cache_max_concurrency}` (what the cache could hold, not the seats).
"""

from tokentop.domain.engines.readings import Counters, EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import exposition
from tokentop.sources.engines.answers import has_version, models_of, owners_of, version_of
from tokentop.sources.engines.origins import origins
from tokentop.sources.engines.protocol import (
    Answer,
    Answers,
    Hints,
    Paths,
    PollProtocol,
    Throttle,
    is_html,
    refused,
)
from tokentop.sources.engines.slots import ObservedSlots, best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.exposition import Page

RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"
KV_CACHE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
SLEEP = "vllm:engine_sleep_state"
PROMPT = "vllm:prompt_tokens_total"
GENERATION = "vllm:generation_tokens_total"
PREEMPTIONS = "vllm:num_preemptions_total"
FINISHED = "vllm:request_success_total"
REJECTIONS = "vllm:admission_rejections_total"
PREFIX_QUERIES = ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total")
PREFIX_HITS = ("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total")
TTFT = "vllm:time_to_first_token_seconds"
ITL = ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")
STARTED = "process_start_time_seconds"

WANTED = frozenset(
    (
        *(RUNNING, WAITING, *KV_CACHE, SLEEP, PROMPT, GENERATION, PREEMPTIONS, FINISHED),
        *(REJECTIONS, *PREFIX_QUERIES, *PREFIX_HITS, STARTED),
        *exposition.histogram_names(TTFT, *ITL),
    )
)


class Vllm:
    """One vLLM server, all its data-parallel engines and models together."""

    kind: EngineKind = "vllm"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._seldom = Throttle()
        self._observed = ObservedSlots()
        self._version: str | None = None
        self._models: tuple[str, ...] | None = None

    def poll(self, now: float) -> PollProtocol:
        rare: Paths = ("/version", "/v1/models") if self._seldom.due(now) else ()
        answers = yield ("/metrics", *rare)
        metrics = answers["/metrics"]
        if rare and not isinstance(metrics, Failure):
            self._remember(answers["/version"], answers["/v1/models"], now)
        if isinstance(metrics, Failure):
            return refused(metrics, "vllm", self._blank())
        if is_html(metrics):
            return Failure("bad-data", "/metrics answers a web page, not metrics.")
        page = exposition.parse(metrics.body, WANTED)
        return self._read(page)

    def _remember(self, version: Answer | Failure, models: Answer | Failure, now: float) -> None:
        self._version = version_of(version) or self._version
        self._models = models_of(models) or self._models
        if isinstance(version, Answer):
            self._seldom.done(now)

    def _blank(self, page: Page | None = None) -> EngineReading:
        names = self._models or (page and page.label_values(RUNNING, "model_name")) or None
        return EngineReading(
            "vllm", version=self._version, models=names, model=names[0] if names else None
        )

    def _read(self, page: Page) -> EngineReading:
        blank = self._blank(page)
        if not page.has(RUNNING) and not page.has(GENERATION):
            return blank._replace(
                health="no-metrics",
                advice="Statistics are disabled: start vLLM without --disable-log-stats.",
            )
        reading = _gauges(blank, page)
        self._observed.see(reading.active, reading.queued, reading.kv_cache)
        slots, source = best_slots(None, self._hints, self._observed.lower_bound())
        return reading._replace(max_slots=slots, slots_source=source)


def _gauges(blank: EngineReading, page: Page) -> EngineReading:
    asleep = page.samples(SLEEP) and not page.by_label(SLEEP, "sleep_state").get("awake")
    labels = page.samples(RUNNING)
    router = bool(labels) and all("server" in s.labels for s in labels)
    return blank._replace(
        active=exposition.whole(page.total(RUNNING)),
        queued=exposition.whole(page.total(WAITING)),
        kv_cache=exposition.ratio(page.highest(*KV_CACHE)),
        counters=_counters(page),
        ttft=page.histogram(TTFT),
        itl=page.histogram(*ITL),
        epoch=page.highest(STARTED),
        router=router,
        backends=origins(page.label_values(RUNNING, "server")) if router else (),
        health="asleep" if asleep else "online",
        advice="The model sleeps; POST /wake_up wakes it." if asleep else None,
    )


def _counters(page: Page) -> Counters:
    ended = page.by_label(FINISHED, "finished_reason")
    return Counters(
        prompt_tokens=page.total(PROMPT),
        generation_tokens=page.total(GENERATION),
        requests=sum(ended.values()) if ended else None,
        preemptions=page.total(PREEMPTIONS),
        rejections=page.total(REJECTIONS),
        prefix_queries=page.total(*PREFIX_QUERIES),
        prefix_hits=page.total(*PREFIX_HITS),
        stop=ended.get("stop"),
        length=ended.get("length"),
        abort=ended.get("abort"),
        error=ended.get("error"),
    )


def _is_vllm(answers: Answers) -> bool:
    """By its names, once its /metrics has none of its series: statistics are disabled."""
    owners = owners_of(answers.get("/v1/models")) or ()
    return "/metrics" in answers and has_version(answers.get("/version")) and "vllm" in owners


SPEC = EngineSpec(
    "vllm",
    Vllm,
    port=8000,
    command=CommandLine(
        r"vllm|vllm::.*|vllm\.entrypoints\..*",
        subcommands=("serve",),
        slot_flags=(("--max-num-active-seqs",), ("--max-num-seqs",)),  # the first caps the second
        replica_flags=("--data-parallel-size", "-dp"),
        model_flags=(("--served-model-name",), ("--model",)),
        model_follows="serve",
    ),
    signature=Signature(recognise=_is_vllm, series="vllm:"),
)
