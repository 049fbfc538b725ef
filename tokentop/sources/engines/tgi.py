"""Text Generation Inference: /metrics at every poll, /info once a minute.

Its counters have no `_total` and appear at first use; its tokens are counted when a request ends.
`max_concurrent_requests` of /info is the admission limit, not the slots, and is not read.
"""

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.answers import document_of
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
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page

METRICS = "/metrics"
INFO = "/info"

BATCH_TOKENS = "tgi_batch_current_max_tokens"
BATCH_LIMIT = "tgi_batch_max_total_tokens"
FAILURE = ("tgi_request_failure", "tgi_request_failure_total")
REFUSED = "overloaded|validation|template"  # before a token was made

SERIES = Series(
    presence="tgi_batch_current_size",
    running=("tgi_batch_current_size",),
    waiting=("tgi_queue_size",),
    gauges=(BATCH_TOKENS, BATCH_LIMIT),
    prompt_tokens=("tgi_request_input_length_sum",),
    generation_tokens=("tgi_request_generated_tokens_sum",),
    succeeded=("tgi_request_success", "tgi_request_success_total"),
    rejections=tuple(f'{name}{{err="overloaded"}}' for name in FAILURE),
    abort=tuple(f'{name}{{err="dropped"}}' for name in FAILURE),
    error=tuple(f'{name}{{err!~"dropped|{REFUSED}"}}' for name in FAILURE),
    itl=("tgi_request_mean_time_per_token_duration",),
    e2e=("tgi_request_duration",),
    queue=("tgi_request_queue_duration",),
    prefill=('tgi_batch_inference_duration{method="prefill"}',),  # decode's is of one step
    labels=("err", "method"),
)
WANTED = SERIES.wanted()
NO_METRICS = "No metrics here: TGI may serve them on the port of --prometheus-port."


class Tgi:
    """One TGI router with its shards."""

    kind: EngineKind = "tgi"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._seldom = Throttle()
        self._model: str | None = None
        self._version: str | None = None

    def poll(self, now: float) -> PollProtocol:
        rare: Paths = (INFO,) if self._seldom.due(now) else ()
        answers = yield (METRICS, *rare)
        self._remember(answers.get(INFO), now)
        metrics = answers[METRICS]
        blank = self._blank()
        if isinstance(metrics, Failure):
            if metrics.status == 404 and self._model is not None:
                return blank._replace(health="no-metrics", advice=NO_METRICS)
            return refused(metrics, "tgi", blank)
        if is_html(metrics):
            return Failure("bad-data", f"{METRICS} answers a web page, not metrics.")
        page = parse_page(metrics.body, WANTED)
        return read_counters(read_gauges(blank, page), page, SERIES)

    def _remember(self, answer: Answer | Failure | None, now: float) -> None:
        if not isinstance(answer, Answer):
            return
        try:
            info = values.Fields(values.mapping(values.load(answer.body)))
        except values.BadData:
            return
        self._model = info.text("model", "model_id") or self._model
        self._version = info.text("version") or self._version
        self._seldom.done(now)

    def _blank(self) -> EngineReading:
        slots, source = best_slots(None, self._hints, None)
        return EngineReading(
            "tgi",
            version=self._version,
            model=self._model,
            models=(self._model,) if self._model else None,
            max_slots=slots,
            slots_source=source,
        )


def read_gauges(blank: EngineReading, page: Page) -> EngineReading:
    """What runs and waits; the cache's is the share of the batch's token budget."""
    figures = Figures(page)
    held = figures.amount("kv_cache", BATCH_TOKENS)
    room = figures.amount("kv_cache", BATCH_LIMIT)
    usage = figures.within_one("kv_cache", held / room if held is not None and room else None)
    return blank._replace(
        active=figures.count("active", *SERIES.running),
        queued=figures.count("queued", *SERIES.waiting),
        kv_cache=usage,
        kv_estimated=usage is not None,
        bad=merged(blank.bad, figures.bad),
    )


def _is_tgi(answers: Answers) -> bool:
    info = document_of(answers.get(INFO))
    embeddings = "model_type" in info  # its sibling, which generates nothing
    return bool(info.get("model_id")) and "version" in info and not embeddings


SPEC = EngineSpec(
    "tgi",
    Tgi,
    port=3000,
    command=CommandLine(
        ("text-generation-launcher", "text-generation-router", "text-generation-server"),
        port_flags=("--port", "-p"),
        model_flags=(("--model-id",),),
    ),
    series=SERIES,
    read_gauges=read_gauges,
    signature=Signature(then=(INFO,), recognise=_is_tgi, series="tgi_"),
)
