"""LiteLLM: a router with a purse, which counts whoever looks at it."""

import pytest

from tests.payloads import payload
from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    LOADING,
    NOT_FOUND,
    Talk,
    captured,
    read,
    text,
)
from tokentop.domain.engines.readings import TeamSpend
from tokentop.domain.readings import Failure
from tokentop.sources.engines.litellm import MAX_ACCOUNTS, MAX_BYTES, LiteLlm
from tokentop.sources.engines.protocol import Answer

ALIVE = {"/health/liveliness": captured("litellm/load/health_liveliness.json")}


def metrics(*lines: str) -> dict[str, Answer | Failure]:
    return {**ALIVE, "/metrics": text(*lines)}


def test_a_captured_proxy_under_load() -> None:
    """A router: models asked for, tokens, money, backends as origins, and no slots."""
    reading = read(LiteLlm().poll(0.0), {"/metrics": captured("litellm/load/metrics.txt")})
    assert reading.router
    assert reading.active == 11, "12 in flight, of which one is this very request"
    assert "mock-fast" in (reading.models or ())
    assert {"http://127.0.0.1:18080", "http://127.0.0.1:18000"} <= set(reading.backends)
    assert reading.counters.generation_tokens
    assert reading.counters.prompt_tokens
    assert reading.max_slots is None
    assert reading.latencies.ttft
    spent = sum(account.usd or 0 for account in reading.spend)
    page = payload("litellm/load/metrics.txt").decode().splitlines()
    lines = [line for line in page if line.startswith("litellm_spend_metric_total{")]
    assert spent == pytest.approx(sum(float(line.rpartition(" ")[2]) for line in lines))


def test_an_idle_proxy_has_nothing_in_flight() -> None:
    """Our own request is not traffic."""
    reading = read(LiteLlm().poll(0.0), {"/metrics": captured("litellm/idle/metrics.txt")})
    assert reading.active == 0


def test_only_one_request_at_a_time() -> None:
    """A second one of ours would be counted as the users'."""
    conversation = LiteLlm().poll(0.0)
    assert len(next(conversation)) == 1


def spend(usd: float, **labels: str) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"litellm_spend_metric_total{{{inside}}} {usd}"


def test_spend_by_team_and_key() -> None:
    """Rows of one account add up over models and users; "None" is no name."""
    reading = read(
        LiteLlm().poll(0.0),
        metrics(
            spend(1.5, team="t1", team_alias="Research", api_key_alias="ci", model="a"),
            spend(0.5, team="t1", team_alias="Research", api_key_alias="ci", model="b"),
            spend(9.0, team="t2", team_alias="None", api_key_alias="None", model="a"),
            spend(0.0, team="None", team_alias="None", api_key_alias="x"),
            'litellm_total_tokens_metric_total{team="t1",team_alias="Research",'
            'api_key_alias="ci",model="a"} 100',
        ),
    )
    assert reading.spend == (
        TeamSpend("t2", "", 9.0),
        TeamSpend("Research", "ci", 2.0, 100.0),
        TeamSpend("", "x", 0.0),
    )


def test_accounts_are_bounded() -> None:
    """However many keys there are, the dearest are kept; names are made safe."""
    lines = [spend(n, api_key_alias=f"key{n}\x1b[31m") for n in range(2000)]
    reading = read(LiteLlm().poll(0.0), metrics(*lines))
    assert len(reading.spend) == MAX_ACCOUNTS
    assert reading.spend[0].usd == 1999
    assert "\x1b" not in reading.spend[0].key


def test_a_page_without_end_is_refused() -> None:
    """Labels multiply: beyond 2 MiB the row says so."""
    huge = Answer(b"# x\n" * (MAX_BYTES // 4 + 1), "text/plain")
    result = Talk({"/metrics": huge}).hold(LiteLlm().poll(0.0))
    assert isinstance(result, Failure)
    assert result.kind == "too-large"


@pytest.mark.parametrize(
    ("answer", "health"), [(AUTH_REQUIRED, "auth-required"), (NOT_FOUND, "no-metrics")]
)
def test_refused_metrics_are_not_hammered(answer: Failure, health: str) -> None:
    """Each refusal is counted by the proxy, so it is provoked once a minute only."""
    engine, talk = LiteLlm(), Talk({**ALIVE, "/metrics": answer})
    for now in (0.0, 4.0, 8.0, 56.0):
        reading = talk.hold(engine.poll(now))
        assert not isinstance(reading, Failure)
        assert (reading.health, reading.router, bool(reading.advice)) == (health, True, True)
    assert talk.asked.count("/metrics") == 1
    talk.hold(engine.poll(61.0))
    assert talk.asked.count("/metrics") == 2


def test_once_let_in_it_is_read_again() -> None:
    """The proxy was locked and is not any more."""
    engine = LiteLlm()
    read(engine.poll(0.0), {**ALIVE, "/metrics": AUTH_REQUIRED})
    table = metrics("litellm_in_flight_requests 3")
    assert [read(engine.poll(t), table).active for t in (61.0, 65.0)] == [2, 2]


def test_gone_is_gone() -> None:
    """A proxy that answers neither is a failure, with its reason."""
    assert isinstance(Talk({}, LOADING).hold(LiteLlm().poll(0.0)), Failure)


def test_older_names() -> None:
    """Before 1.81 the token counters had shorter names."""
    lines = 'litellm_input_tokens_total{model="a"} 5', 'litellm_output_tokens_total{model="a"} 7'
    counters = read(LiteLlm().poll(0.0), metrics(*lines)).counters
    assert (counters.prompt_tokens, counters.generation_tokens) == (5, 7)


def test_a_fresh_proxy() -> None:
    """Before the first request nothing is known, and nothing is 0."""
    reading = read(LiteLlm().poll(0.0), metrics("python_info 1"))
    assert (reading.active, reading.models, reading.spend) == (None, None, ())
    assert reading.counters.generation_tokens is None
