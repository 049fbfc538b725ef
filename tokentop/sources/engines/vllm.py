"""vLLM: /metrics at every poll, /version and /v1/models once a minute.

`cache_config_info` has the bytes of the KV cache on each GPU from 0.11 on, where they were chosen
(`--kv-cache-memory-bytes`) or the platform needs them; else they are "None".
Metric names of every release since 0.8 (older names after newer ones); see the vLLM
documentation, "Production metrics". Not read: `/load` (0 unless tracking was enabled),
`cache_config_info{kv_cache_max_concurrency}` (what the cache could hold, not the slots).
"""

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
from tokentop.sources.engines.answers import (
    MAX_MODELS,
    ModelNames,
    has_version,
    names_of,
    owners_of,
    version_of,
)
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
from tokentop.sources.engines.series import Series, merged, parse_page, read_counters
from tokentop.sources.engines.slots import observed, with_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page

PREFIX = "vllm:"
RUNNING = "vllm:num_requests_running"
LORA = "vllm:lora_requests_info"
CACHE = "vllm:cache_config_info"
MAX_ADAPTERS = 256

SERIES = Series(
    presence=RUNNING,
    running=(RUNNING,),
    waiting=("vllm:num_requests_waiting",),
    kv_cache=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    awake=('vllm:engine_sleep_state{sleep_state="awake"}',),
    prompt_tokens=("vllm:prompt_tokens_total",),
    generation_tokens=("vllm:generation_tokens_total",),
    requests=("vllm:request_success_total",),
    preemptions=("vllm:num_preemptions_total",),
    rejections=("vllm:admission_rejections_total",),
    prefix_queries=("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
    prefix_hits=("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"),
    finished=("vllm:request_success_total",),
    ttft=("vllm:time_to_first_token_seconds",),
    itl=("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"),
    e2e=("vllm:e2e_request_latency_seconds",),
    queue=("vllm:request_queue_time_seconds",),
    prefill=("vllm:request_prefill_time_seconds",),
    decode=("vllm:request_decode_time_seconds",),
    labels=("engine", "model_name", "server", "finished_reason", "reason"),
    gauge_labels=("sleep_state",),
)
WANTED = SERIES.wanted(LORA, CACHE)


class Vllm:
    """One vLLM server, all its data-parallel engines and models together."""

    kind: EngineKind = "vllm"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._seldom = Throttle()
        self._observed = hints.observed
        self._version: str | None = None
        self._names: ModelNames | None = None

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
        page = parse_page(metrics.body, WANTED)
        return self._read(page)

    def _remember(self, version: Answer | Failure, models: Answer | Failure, now: float) -> None:
        self._version = version_of(version) or self._version
        self._names = names_of(models) or self._names
        if isinstance(version, Answer):
            self._seldom.done(now)

    def _blank(self, page: Page | None = None) -> EngineReading:
        known = self._names or ModelNames()
        names, more = known.models, 0
        if page is not None and not names:
            found = page.label_values(RUNNING, "model_name")
            names, more = found[:MAX_MODELS], max(0, len(found) - MAX_MODELS)
        return EngineReading(
            "vllm",
            version=self._version,
            models=names or None,
            model=names[0] if names else None,
            aliases=known.aliases,
            adapters=known.adapters or (_adapters(page) if page else ()),
            names_more=known.more + more,
        )

    def _read(self, page: Page) -> EngineReading:
        blank = self._blank(page)
        if not page.has_any(PREFIX):
            return blank._replace(
                health="no-metrics",
                advice="Statistics are disabled: start vLLM without --disable-log-stats.",
            )
        reading = read_counters(read_gauges(blank, page), page, SERIES)
        reading = reading._replace(kv_gpu_bytes=_kv_gpu_bytes(page, self._hints))
        self._observed = observed(self._observed, reading)
        return with_slots(reading, self._hints, self._observed)


def _kv_gpu_bytes(page: Page, hints: Hints) -> int | None:
    """Bytes of the KV cache on each GPU, where all its engines have as many."""
    found = page.label_values(CACHE, "kv_cache_memory_bytes")
    sizes = {int(text) for text in found if text.isascii() and text.isdigit() and len(text) < 16}
    if not sizes:
        return hints.kv_gpu_bytes
    return sizes.pop() or None if len(sizes) == 1 and len(found) == 1 else None


def _adapters(page: Page) -> tuple[str, ...]:
    """The LoRA adapters in use; the newest label set is of now, the others are what was before."""
    rows = page.all(LORA)
    labels = max(rows, key=lambda row: row.value).labels if rows else {}
    listed = (labels.get(f"{state}_lora_adapters", "") for state in ("running", "waiting"))
    names = (clean(name) for names in listed for name in names.split(",")[:MAX_ADAPTERS])
    return tuple(dict.fromkeys(name for name in names if name))


def read_gauges(blank: EngineReading, page: Page) -> EngineReading:
    """What runs and waits, over all engines and models of the server."""
    figures = Figures(page)
    asleep = figures.amount("awake", *SERIES.awake) == 0
    labels = page.all(RUNNING)
    router = bool(labels) and all("server" in s.labels for s in labels)
    return blank._replace(
        active=figures.count("active", *SERIES.running),
        queued=figures.count("queued", *SERIES.waiting),
        kv_cache=figures.ratio("kv_cache", *SERIES.kv_cache),
        router=router,
        backends=origins(page.label_values(RUNNING, "server")) if router else (),
        health="asleep" if asleep else "online",
        advice="The model sleeps; POST /wake_up wakes it." if asleep else None,
        bad=merged(blank.bad, figures.bad),
    )


def _is_vllm(answers: Answers) -> bool:
    """By the owner of its models, where its /metrics has no vllm: series (they are disabled)."""
    owners = owners_of(answers.get("/v1/models")) or ()
    return "/metrics" in answers and has_version(answers.get("/version")) and "vllm" in owners


SPEC = EngineSpec(
    "vllm",
    Vllm,
    port=8000,
    command=CommandLine(
        ("vllm",),
        prefixes=("vllm::", "vllm.entrypoints."),
        subcommands=("serve",),
        slot_flags=(("--max-num-active-seqs",), ("--max-num-seqs",)),  # the first caps the second
        kv_flags=("--kv-cache-memory-bytes", "--kv-cache-memory"),
        replica_flags=("--data-parallel-size", "-dp"),
        model_flags=(("--served-model-name",), ("--model",)),
        model_follows="serve",
    ),
    series=SERIES,
    read_gauges=read_gauges,
    signature=Signature(recognise=_is_vllm, series="vllm:"),
)
