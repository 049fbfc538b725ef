"""Conversations over a transport: where each question goes, and with what."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.polls import driven, polled
from tests.servers.behaviours import guarded, ok, redirect, routes, status
from tests.servers.loopback import Server
from tokentop.domain.readings import Failure
from tokentop.secret import Secret
from tokentop.sources.engines.protocol import Answer, Answers
from tokentop.transport import run_protocol as talk
from tokentop.transport.http.client_async import Pool
from tokentop.transport.http.messages import Request


def questions(*paths: str) -> "talk.Generator[tuple[str, ...], Answers, Answers]":
    return (yield paths)


def held(base: Request, *paths: str) -> Answers:
    answers = polled(talk.steps(questions(*paths), base))
    assert not isinstance(answers, Failure)
    return answers


def held_async(base: Request, *paths: str) -> Answers:
    async def run() -> Answers:
        pool = Pool()
        try:
            answers = (await pool.poll(talk.steps(questions(*paths), base), base)).result
        finally:
            await pool.aclose()
        assert not isinstance(answers, Failure)
        return answers

    return asyncio.run(run())


@pytest.mark.parametrize("hold", [held, held_async])
@pytest.mark.parametrize("code", [401, 403, 404, 501, 503])
def test_statuses_reach_the_conversation(hold: object, code: int) -> None:
    """Both transports' failures carry the status that adapters decide by."""
    assert callable(hold)
    with Server(routes({"/x": status(code), "/y": ok({"a": 1})})) as server:
        answers = hold(Request(server.url), "/x", "/y")
    assert answers["/x"].status == code
    assert isinstance(answers["/y"], Answer)
    assert (answers["/y"].server, answers["/y"].content_type) == ("loopback", "application/json")


@pytest.mark.parametrize("hold", [held, held_async])
def test_same_host_redirects_are_followed(hold: object) -> None:
    """LiteLLM's /metrics moves to /metrics/, with the token."""
    assert callable(hold)
    table = {"/metrics": redirect("/metrics/", 307), "/metrics/": guarded("secret", ok(b"x 1\n"))}
    with Server(routes(table)) as server:
        answers = hold(Request(server.url, token=Secret("secret")), "/metrics")
    assert answers["/metrics"].body == b"x 1\n"


@pytest.mark.parametrize("hold", [held, held_async])
def test_a_runner_gets_no_token(hold: object) -> None:
    """Credentials go only to the engine they were configured for."""
    assert callable(hold)
    with Server(ok({})) as engine, Server(ok({})) as runner:
        hold(Request(engine.url, token=Secret("secret")), "/api/ps", f"{runner.url}/slots")
    assert engine.asked[0].headers["authorization"] == "Bearer secret"
    assert "authorization" not in runner.asked[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:9/slots",
        "http://127.0.0.1.evil.example/slots",
        "http://localhost.example/",
        "ftp://127.0.0.1/",
        "slots",
        "",
    ],
)
def test_absolute_addresses_are_loopback_only(url: str) -> None:
    """Nothing an engine says can send a question elsewhere."""
    (planned,) = talk.requests(Request("http://10.0.0.1:8000"), (url,))
    assert isinstance(planned, Failure)


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("http://h:1", "/metrics", "http://h:1/metrics"),
        ("http://h:1/", "/metrics", "http://h:1/metrics"),
        ("http://h:1/vllm/", "/metrics", "http://h:1/vllm/metrics"),
        ("http://u:p@h:1/a?x=1#y", "/slots?model=b", "http://u:p@h:1/a/slots?model=b"),
        ("http://h:1", "//evil.example/x", "http://h:1//evil.example/x"),
    ],
)
def test_paths_join_the_base(base: str, path: str, expected: str) -> None:
    """A path prefix stays, a query of the base does not."""
    (planned,) = talk.requests(Request(base), (path,))
    assert isinstance(planned, Request)
    assert planned.url == expected


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("http://h:8000", ":+2/metrics", "http://h:8002/metrics"),
        ("https://u:p@h:8000/prefix/?x=1", ":+2/metrics", "http://h:8002/metrics"),
        ("http://[::1]:8000", ":+2/metrics", "http://[::1]:8002/metrics"),
        ("http://h:65535", ":+2/metrics", None),
        ("http://h:8000", ":+x/metrics", None),
        ("http://h:8000", ":8002/metrics", None),
        ("http://h:8000", ":+2@evil.example/metrics", None),
    ],
)
def test_another_port_of_the_same_host(base: str, path: str, expected: str | None) -> None:
    """Without the token, which was configured for the engine's own port."""
    (planned,) = talk.requests(Request(base, token=Secret("secret")), (path,))
    found = planned if isinstance(planned, Request) else Request("")
    assert (found.url or None, found.token) == (expected, None)


def test_a_conversation_without_end_is_ended() -> None:
    """An adapter that asks for ever is a failure, not a hang."""

    def endless() -> "talk.Generator[tuple[str, ...], Answers, None]":
        while True:
            yield ("/x",)

    batches = []

    def fetch(requests: Sequence[Request]) -> list[Failure]:
        batches.append(requests)
        return [Failure("refused", "")]

    result = driven(talk.steps(endless(), Request("http://h:1")), fetch)
    assert isinstance(result, Failure)
    assert len(batches) == talk.MAX_BATCHES
