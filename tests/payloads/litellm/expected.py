"""LiteLLM's captured metrics by its documentation, "Prometheus metrics"."""

import math
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from tests.payloads.reader import Metrics
from tokentop.domain.engines.readings import Counters, EngineReading, Histograms, TeamSpend

TABLES = {"": ("/metrics",)}
COPIED_RANK = ADDED_RANK = None

NOTHING = ("", "None")  # so it writes what a request does not have


def expected(answers: Mapping[str, bytes]) -> EngineReading:
    page = Metrics(answers["/metrics"])
    spend, tokens = "litellm_spend_metric_total", "litellm_total_tokens_metric_total"
    models = tuple(n for n in page.values(spend, "requested_model") if n not in NOTHING)
    in_flight = page.count("litellm_in_flight_requests")
    return EngineReading(
        "litellm",
        model=models[0] if models else None,
        models=models or None,
        active=None if in_flight is None else in_flight - 1,  # the scrape itself is one
        counters=Counters(
            prompt_tokens=page.sum("litellm_input_tokens_metric_total"),
            generation_tokens=page.sum("litellm_output_tokens_metric_total"),
            # The counter of requests is of those that ended well.
            requests=total((page.sum("litellm_requests_metric_total"), failed(page))),
            error=failed(page),
        ),
        latencies=Histograms(
            ttft=page.histogram("litellm_llm_api_time_to_first_token_metric"),
            itl=page.histogram("litellm_deployment_latency_per_output_token"),
            e2e=page.histogram("litellm_request_total_latency_metric"),
            queue=page.histogram("litellm_request_queue_time_seconds"),
        ),
        epoch=page.highest("process_start_time_seconds"),
        router=True,
        backends=backends(page),
        spend=accounts(by_account(page, spend), by_account(page, tokens)),
    )


def failed(page: Metrics) -> float | None:
    """Those that a backend failed or a client left; other exceptions are refusals (4xx, no status).

    Of the captured ones only an InternalServerError is such.
    """
    rows = page.rows("litellm_proxy_failed_requests_metric_total")
    return total(value for labels, value in rows if labels["exception_status"] in ("500", "503"))


def total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def backends(page: Metrics) -> tuple[str, ...]:
    urls = [urlsplit(url) for url in page.values("litellm_deployment_state", "api_base")]
    return tuple(dict.fromkeys(f"{url.scheme}://{url.netloc}" for url in urls))


Account = tuple[str, str]


def by_account(page: Metrics, name: str) -> dict[Account, float]:
    """Sums by team and key: the team by its name where it has one."""
    found: dict[Account, list[float]] = {}
    for labels, value in page.rows(name):
        teams = [labels["team_alias"], labels["team"]]
        team = next((name for name in teams if name not in NOTHING), "")
        key = labels["api_key_alias"]
        found.setdefault((team, "" if key in NOTHING else key), []).append(value)
    return {account: math.fsum(values) for account, values in found.items()}


def accounts(usd: dict[Account, float], tokens: dict[Account, float]) -> tuple[TeamSpend, ...]:
    rows = [TeamSpend(*each, usd.get(each), tokens.get(each)) for each in {**usd, **tokens}]
    return tuple(sorted(rows, key=lambda row: -(row.usd or 0.0)))
