"""Text Generation Inference: /metrics at every poll, /info once a minute.

Its counters have no `_total` and appear at first use; its tokens are counted when a request ends.
`max_concurrent_requests` of /info is the admission limit, not the seats, and is not read.
"""

from tokentop.domain.engines.readings import Counters, EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import exposition
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
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.exposition import Page

METRICS = "/metrics"
INFO = "/info"

ACTIVE = "tgi_batch_current_size"
QUEUED = "tgi_queue_size"
BATCH_TOKENS = "tgi_batch_current_max_tokens"
BATCH_LIMIT = "tgi_batch_max_total_tokens"
PROMPT = "tgi_request_input_length_sum"
GENERATED = "tgi_request_generated_tokens_sum"
SUCCESS = ("tgi_request_success", "tgi_request_success_total")
FAILURE = ("tgi_request_failure", "tgi_request_failure_total")
PER_TOKEN = "tgi_request_mean_time_per_token_duration"
STARTED = "process_start_time_seconds"

WANTED = frozenset(
    (
        *(ACTIVE, QUEUED, BATCH_TOKENS, BATCH_LIMIT, PROMPT, GENERATED, STARTED),
        *(*SUCCESS, *FAILURE, *exposition.histogram_names(PER_TOKEN)),
    )
)
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
        return _read(blank, exposition.parse(metrics.body, WANTED))

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


def _read(blank: EngineReading, page: Page) -> EngineReading:
    held, room = page.total(BATCH_TOKENS), page.total(BATCH_LIMIT)
    usage = min(1.0, held / room) if held is not None and held >= 0 and room else None
    return blank._replace(
        active=exposition.whole(page.total(ACTIVE)),
        queued=exposition.whole(page.total(QUEUED)),
        kv_cache=usage,
        kv_estimated=usage is not None,  # the batch's token budget, not the cache itself
        counters=_counters(page),
        itl=page.histogram(PER_TOKEN),
        epoch=page.highest(STARTED),
    )


def _counters(page: Page) -> Counters:
    succeeded, failed = page.total(*SUCCESS), page.total(*FAILURE)
    kinds = page.by_label(FAILURE[0], "err") or page.by_label(FAILURE[1], "err")
    overloaded = kinds.get("overloaded")
    return Counters(
        prompt_tokens=page.total(PROMPT),
        generation_tokens=page.total(GENERATED),
        requests=succeeded,
        rejections=overloaded,
        error=None if failed is None else failed - (overloaded or 0.0),
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
        r"text-generation-(?:launcher|router|server)",
        port_flags=("--port", "-p"),
        model_flags=(("--model-id",),),
    ),
    signature=Signature(then=(INFO,), recognise=_is_tgi, series="tgi_"),
)
