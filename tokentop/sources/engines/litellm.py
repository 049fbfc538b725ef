"""LiteLLM's proxy: a router, so its traffic is the engines' traffic and never added to theirs.

Never asked: `/health`, which makes a real, paid call to every model. Requests go one at a time,
as the requests in flight that it tells include ours. A refused `/metrics` is asked again only
once a minute: LiteLLM counts each refusal in the metrics that others read.
"""

from tokentop.domain.engines.readings import Counters, EngineKind, EngineReading, TeamSpend
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
from tokentop.sources import exposition
from tokentop.sources.engines.answers import text_of
from tokentop.sources.engines.origins import origins
from tokentop.sources.engines.protocol import (
    AUTH_REQUIRED,
    Answer,
    Answers,
    Hints,
    PollProtocol,
    Throttle,
    is_html,
)
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.exposition import Page, Sample

METRICS = "/metrics"
ALIVE = "/health/liveliness"

IN_FLIGHT = "litellm_in_flight_requests"
SPEND = "litellm_spend_metric_total"
TOKENS = ("litellm_total_tokens_metric_total", "litellm_total_tokens_total")
PROMPT = ("litellm_input_tokens_metric_total", "litellm_input_tokens_total")
GENERATED = ("litellm_output_tokens_metric_total", "litellm_output_tokens_total")
REQUESTS = "litellm_requests_metric_total"
FAILED = "litellm_llm_api_failed_requests_metric_total"
DEPLOYMENT = "litellm_deployment_state"
TTFT = "litellm_llm_api_time_to_first_token_metric"
ITL = "litellm_deployment_latency_per_output_token"
STARTED = "process_start_time_seconds"

WANTED = frozenset(
    (
        *(IN_FLIGHT, SPEND, *TOKENS, *PROMPT, *GENERATED, REQUESTS, FAILED, DEPLOYMENT, STARTED),
        *exposition.histogram_names(TTFT, ITL),
    )
)
MAX_BYTES = 2 * 1024 * 1024  # labels multiply: 400 kB after seconds of light load
MAX_ACCOUNTS = 128
MAX_MODELS = 256
ABSENT = ("", "None")
NO_METRICS = 'LiteLLM tells nothing: add "prometheus" to litellm_settings.callbacks.'


class LiteLlm:
    """One LiteLLM proxy."""

    kind: EngineKind = "litellm"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._refusal = Throttle()
        self._status: int | None = None

    def poll(self, now: float) -> PollProtocol:
        if self._status is None or self._refusal.due(now):
            metrics = (yield (METRICS,))[METRICS]
            self._status = None
            if isinstance(metrics, Answer):
                return _reading(metrics)
            if metrics.status not in (401, 403, 404):
                return metrics
            self._status = metrics.status
            self._refusal.done(now)
        alive = (yield (ALIVE,))[ALIVE]
        return alive if isinstance(alive, Failure) else _silent(self._status)


def _silent(status: int | None) -> EngineReading:
    if status == 404:
        return EngineReading("litellm", router=True, health="no-metrics", advice=NO_METRICS)
    return EngineReading("litellm", router=True, health="auth-required", advice=AUTH_REQUIRED)


def _reading(metrics: Answer) -> EngineReading | Failure:
    if is_html(metrics):
        return Failure("bad-data", f"{METRICS} answers a web page, not metrics.")
    if len(metrics.body) > MAX_BYTES:
        return Failure("too-large", f"{METRICS} is larger than {MAX_BYTES >> 20} MiB.")
    page = exposition.parse(metrics.body, WANTED)
    names = tuple(clean(n) for n in page.label_values(SPEND, "requested_model") if n not in ABSENT)[
        :MAX_MODELS
    ]
    in_flight = exposition.whole(page.total(IN_FLIGHT))
    return EngineReading(
        "litellm",
        model=names[0] if names else None,
        models=names or None,
        active=None if in_flight is None else max(0, in_flight - 1),  # one of them is ours
        counters=Counters(
            prompt_tokens=page.total(*PROMPT),
            generation_tokens=page.total(*GENERATED),
            requests=page.total(REQUESTS),
            error=page.total(FAILED),
        ),
        ttft=page.histogram(TTFT),
        itl=page.histogram(ITL),
        epoch=page.highest(STARTED),
        router=True,
        backends=origins(page.label_values(DEPLOYMENT, "api_base")),
        spend=_accounts(page),
    )


def _accounts(page: Page) -> tuple[TeamSpend, ...]:
    """What each team and key has spent since the proxy started, the dearest first."""
    usd = _by_account(page.samples(SPEND))
    tokens = _by_account(next((found for name in TOKENS if (found := page.samples(name))), []))
    rows = [TeamSpend(*who, usd.get(who), tokens.get(who)) for who in {**usd, **tokens}]
    rows.sort(key=lambda row: (-(row.usd or 0.0), -(row.tokens or 0.0), row.team, row.key))
    return tuple(rows[:MAX_ACCOUNTS])


def _by_account(samples: list[Sample]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = {}
    for sample in samples:
        who = (_label(sample, "team_alias", "team"), _label(sample, "api_key_alias"))
        sums[who] = sums.get(who, 0.0) + sample.value
    return sums


def _label(sample: Sample, *names: str) -> str:
    """The first label that says something; LiteLLM writes None for nothing."""
    values = (sample.labels.get(name, "") for name in names)
    return next((clean(value) for value in values if value not in ABSENT), "")


def _is_litellm(answers: Answers) -> bool:
    return text_of(answers.get(ALIVE)).strip('"') == "I'm alive!"


SPEC = EngineSpec(
    "litellm",
    LiteLlm,
    port=4000,
    command=CommandLine(r"litellm"),
    signature=Signature(then=(ALIVE,), recognise=_is_litellm, series="litellm_"),
)
