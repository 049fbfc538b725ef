"""NVIDIA Triton: readiness and metrics at every poll, version and model names once a minute.

Metrics are on a port of their own, 8002 beside HTTP's 8000. Triton itself counts requests and those
that no backend has taken yet; what runs in a model is exported by its backend: TensorRT-LLM
(`nv_trt_llm_*`) or vLLM (`vllm:*`, the only one with tokens). Not read: `/v2/repository/index`
(a POST), `nv_gpu_memory_used_bytes` (the whole GPU's).
"""

from collections.abc import Mapping

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
from tokentop.sources.engines.answers import document_of, version_of
from tokentop.sources.engines.protocol import (
    Answer,
    Answers,
    Hints,
    Paths,
    PollProtocol,
    Throttle,
    refused,
)
from tokentop.sources.engines.series import Series, merged, parse_page, read_counters
from tokentop.sources.engines.slots import observed, with_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page

SERVER = "/v2"
READY = "/v2/health/ready"
STATS = "/v2/models/stats"
METRICS = "/metrics"

MAX_MODELS = 256
# A pipeline's request is counted by each of its models; these only pass it on to tensorrt_llm.
PIPELINE = 'model!~"ensemble|preprocessing|postprocessing|tensorrt_llm_bls"'
PENDING = "nv_inference_pending_request_count"
FAILED = "nv_inference_request_failure"
BATCHER = "nv_trt_llm_request_metrics"

SERIES = Series(
    presence=PENDING,
    running=(f'{BATCHER}{{request_type="scheduled"}}', "vllm:num_requests_running"),
    waiting=(f'{BATCHER}{{request_type="waiting"}}', "vllm:num_requests_waiting", PENDING),
    kv_cache=(
        'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction"}',
        "vllm:gpu_cache_usage_perc",
    ),
    prompt_tokens=("vllm:prompt_tokens_total",),
    generation_tokens=("vllm:generation_tokens_total",),
    succeeded=(f"nv_inference_request_success{{{PIPELINE}}}",),
    preemptions=("vllm:num_preemptions_total",),
    rejections=(f'{FAILED}{{reason="REJECTED",{PIPELINE}}}',),
    abort=(f'{FAILED}{{reason="CANCELED",{PIPELINE}}}',),
    error=(f'{FAILED}{{reason!~"REJECTED|CANCELED",{PIPELINE}}}',),
    ttft=(
        "vllm:time_to_first_token_seconds",
        f"nv_inference_first_response_histogram_ms{{{PIPELINE}}}",  # where it is turned on
    ),
    itl=("vllm:time_per_output_token_seconds", "vllm:inter_token_latency_seconds"),
    e2e=("vllm:e2e_request_latency_seconds",),
    queue=("vllm:request_queue_time_seconds",),
    prefill=("vllm:request_prefill_time_seconds",),
    decode=("vllm:request_decode_time_seconds",),
    labels=("model", "version", "reason"),
    gauge_labels=("request_type", "kv_cache_block_type"),
)
WANTED = SERIES.wanted()
NO_METRICS = "No metrics two ports above: start Triton with --allow-metrics=true --metrics-port."
NOT_READY = "Triton is not ready: a model is being loaded, or could not be; see its log."


class Triton:
    """One Triton server with all its models."""

    kind: EngineKind = "triton"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._seldom = Throttle()
        self._metrics_retry = Throttle()
        self._metrics = next((url + METRICS for url in hints.runners), f":+2{METRICS}")
        self._observed = hints.observed
        self._version: str | None = None
        self._models: tuple[str, ...] | None = None

    def poll(self, now: float) -> PollProtocol:
        rare: Paths = (SERVER, STATS) if self._seldom.due(now) else ()
        metrics: Paths = (self._metrics,) if self._metrics_retry.due(now) else ()
        answers = yield (READY, *metrics, *rare)
        self._remember(answers, now)
        ready = answers[READY]
        page = self._page(answers.get(self._metrics), now)
        if page is not None:
            reading = self._read(page)
            return _unready(reading) if _is_unready(ready) else reading
        if isinstance(ready, Failure):
            return _unready(self._blank()) if _is_unready(ready) else self._refused(ready)
        return self._blank()._replace(health="no-metrics", advice=NO_METRICS)

    def _remember(self, answers: Answers, now: float) -> None:
        self._version = version_of(answers.get(SERVER)) or self._version
        self._models = _models(document_of(answers.get(STATS))) or self._models
        if isinstance(answers.get(SERVER), Answer):
            self._seldom.done(now)

    def _page(self, answer: Answer | Failure | None, now: float) -> Page | None:
        """The metrics; where another server answers in their place it is left alone for a while."""
        if not isinstance(answer, Answer):
            return None
        if b"nv_" not in answer.body:
            self._metrics_retry.done(now)
            return None
        return parse_page(answer.body, WANTED)

    def _blank(self) -> EngineReading:
        names = self._models
        return EngineReading(
            "triton", version=self._version, model=names[0] if names else None, models=names
        )

    def _refused(self, failure: Failure) -> EngineReading | Failure:
        return refused(failure, "triton", self._blank())

    def _read(self, page: Page) -> EngineReading:
        reading = read_counters(read_gauges(self._blank(), page), page, SERIES)
        self._observed = observed(self._observed, reading)
        return with_slots(reading, self._hints, self._observed)


def read_gauges(blank: EngineReading, page: Page) -> EngineReading:
    """What runs and waits, over all models; the slots where a backend exports them."""
    figures = Figures(page)
    rows = page.all(f"{PENDING}{{{PIPELINE}}}") or page.all(PENDING)
    named = dict.fromkeys(clean(row.labels.get("model", "")) for row in rows)
    names = tuple(name for name in named if name)[:MAX_MODELS] or blank.models or ()
    slots = figures.count("max_slots", f'{BATCHER}{{request_type="max"}}')
    return blank._replace(
        model=names[0] if names else None,
        models=names or None,
        active=figures.count("active", *SERIES.running),
        queued=figures.count("queued", *SERIES.waiting),
        kv_cache=figures.ratio("kv_cache", *SERIES.kv_cache),
        max_slots=slots,
        slots_source="reported" if slots else None,
        bad=merged(blank.bad, figures.bad),
    )


def _models(stats: Mapping[str, object]) -> tuple[str, ...] | None:
    rows = stats.get("model_stats")
    listed = rows[:MAX_MODELS] if isinstance(rows, list) else ()
    named = (row.get("name") for row in listed if isinstance(row, dict))
    return tuple(dict.fromkeys(clean(name) for name in named if isinstance(name, str))) or None


def _is_unready(answer: Answer | Failure) -> bool:
    return isinstance(answer, Failure) and answer.status in (400, 503)


def _unready(reading: EngineReading) -> EngineReading:
    return reading._replace(health="starting", advice=NOT_READY)


def _is_triton(answers: Answers) -> bool:
    """By its name, which --id changes, or by extensions that no other server of /v2 has."""
    server = document_of(answers.get(SERVER))
    extensions = server.get("extensions")
    named = server.get("name") == "triton"
    return named or (isinstance(extensions, list) and "model_configuration" in extensions)


SPEC = EngineSpec(
    "triton",
    Triton,
    port=8000,
    metrics_port=8002,
    command=CommandLine(
        ("tritonserver",),
        port_flags=("--http-port",),
        host_flags=("--http-address",),
        metrics_flags=("--metrics-port",),
    ),
    signature=Signature(then=(SERVER,), recognise=_is_triton),
    series=SERIES,
    read_gauges=read_gauges,
    hosts=("vllm",),
)
