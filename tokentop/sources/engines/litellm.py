"""LiteLLM's proxy: a router, so its traffic is the engines' traffic and never added to theirs.

Never requested: `/health`, which makes a real, paid call to every model. Requests go one at a time,
as they are among the requests in flight that it counts. A refused `/metrics` is requested again
only once a minute: LiteLLM counts each refusal in the metrics that others read.
"""

from collections.abc import Iterable

from tokentop.domain.engines.readings import EngineKind, EngineReading, TeamSpend
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
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
from tokentop.sources.engines.series import Series, merged, parse_page, read_counters
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page, Sample

METRICS = "/metrics"
ALIVE = "/health/liveliness"

DEPLOYMENT = "litellm_deployment_state"
# The others were refused before a token was made: a wrong key, no such model, too many requests.
BROKE_OFF = "5..|408|499"

SERIES = Series(
    presence="litellm_in_flight_requests",
    running=("litellm_in_flight_requests",),
    prompt_tokens=("litellm_input_tokens_metric_total", "litellm_input_tokens_total"),
    generation_tokens=("litellm_output_tokens_metric_total", "litellm_output_tokens_total"),
    succeeded=("litellm_requests_metric_total",),
    error=(f'litellm_proxy_failed_requests_metric_total{{exception_status=~"{BROKE_OFF}"}}',),
    spend_usd=("litellm_spend_metric_total",),
    spend_tokens=("litellm_total_tokens_metric_total", "litellm_total_tokens_total"),
    ttft=("litellm_llm_api_time_to_first_token_metric",),
    itl=("litellm_deployment_latency_per_output_token",),
    e2e=("litellm_request_total_latency_metric",),
    queue=("litellm_request_queue_time_seconds",),
)
WANTED = SERIES.wanted(DEPLOYMENT)
MAX_BYTES = 2 * 1024 * 1024  # labels multiply: 400 kB after seconds of light load
MAX_ACCOUNTS = 128
MAX_MODELS = 256
ABSENT = ("", "None")
NO_METRICS = 'LiteLLM has no metrics: add "prometheus" to litellm_settings.callbacks.'


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
    page = parse_page(metrics.body, WANTED)
    named = page.label_values(SERIES.spend_usd[0], "requested_model")
    names = tuple(clean(name) for name in named if name not in ABSENT)[:MAX_MODELS]
    blank = EngineReading("litellm", model=names[0] if names else None, models=names or None)
    reading = read_counters(read_gauges(blank, page), page, SERIES)
    spent, used = (_first(page, names) for names in (SERIES.spend_usd, SERIES.spend_tokens))
    return reading._replace(spend=accounts(spent, used))


def read_gauges(blank: EngineReading, page: Page) -> EngineReading:
    """What runs; the reading of the page is itself one of the requests in flight."""
    figures = Figures(page)
    in_flight = figures.count("active", *SERIES.running)
    return blank._replace(
        active=None if in_flight is None else max(0, in_flight - 1),
        router=True,
        backends=origins(page.label_values(DEPLOYMENT, "api_base")),
        bad=merged(blank.bad, figures.bad),
    )


def accounts(spent: Iterable[Sample], used: Iterable[Sample]) -> tuple[TeamSpend, ...]:
    """What each team and key has spent since the proxy started, the dearest first."""
    usd, tokens = _by_account(spent), _by_account(used)
    rows = [TeamSpend(*each, usd.get(each), tokens.get(each)) for each in {**usd, **tokens}]
    rows.sort(key=lambda row: (-(row.usd or 0.0), -(row.tokens or 0.0), row.team, row.key))
    return tuple(rows[:MAX_ACCOUNTS])


def _first(page: Page, names: Iterable[str]) -> list[Sample]:
    return next((found for name in names if (found := page.samples(name))), [])


def _by_account(samples: Iterable[Sample]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = {}
    for sample in samples:
        account = (_label(sample, "team_alias", "team"), _label(sample, "api_key_alias"))
        sums[account] = sums.get(account, 0.0) + sample.value
    return sums


def _label(sample: Sample, *names: str) -> str:
    """The first of these labels that has a value; LiteLLM writes None for none."""
    values = (sample.labels.get(name, "") for name in names)
    return next((clean(value) for value in values if value not in ABSENT), "")


def _is_litellm(answers: Answers) -> bool:
    return text_of(answers.get(ALIVE)).strip('"') == "I'm alive!"


SPEC = EngineSpec(
    "litellm",
    LiteLlm,
    port=4000,
    command=CommandLine(("litellm",)),
    series=SERIES,
    read_gauges=read_gauges,
    router=True,
    signature=Signature(then=(ALIVE,), recognise=_is_litellm, series="litellm_"),
)
