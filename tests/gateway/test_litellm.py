"""LiteLLM's plugin without LiteLLM: its callbacks called as the proxy calls them."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.payloads import payload
from tests.servers.service import service
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.entry import Entry
from tokentop.gateway import delivery, litellm
from tokentop.gateway.litellm import StreamEnded, TokentopPlugin
from tokentop.gateway.settings import SettingsError, settings
from tokentop.gateway.spool import Spool
from tokentop.runtime.ledger.intake import Intake
from tokentop.runtime.serve.guard import Rules
from tokentop.runtime.serve.usage import PATHS, UsageRoutes
from tokentop.transport.ledger.database import connect
from tokentop.transport.ledger.reports import MatchingWriter

PATIENCE_S = 20.0
REFUSED = {"x-should-retry": "false", "x-tokentop-refused": "spent"}
KEY = SimpleNamespace(
    user_id="ada", team_id="t-1", team_alias="Blue", metadata={"project": "alpha"}
)
REFUSAL = {"error": {"message": "alpha's budget is spent", "type": "budget_exceeded"}}


class StreamEvent(StrEnum):
    """LiteLLM's types of events are members of such a class."""

    DELTA = "response.output_text.delta"


class Ledger:
    """A service with a ledger; `answers` are those of /v1/authorize, the last one for good."""

    def __init__(self, url: str, entries: list[Entry], booked: threading.Condition) -> None:
        self.url, self.entries, self._booked = url, entries, booked
        self.asked: list[dict[str, str]] = []
        self.answers: list[Response] = [Response()]

    def authorize(self, request: Request) -> Response:
        self.asked.append(dict(request.query_params))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def until(self, count: int) -> list[Entry]:
        with self._booked:
            assert self._booked.wait_for(lambda: len(self.entries) >= count, PATIENCE_S)
            return list(self.entries)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    entries: list[Entry] = []
    booked = threading.Condition()

    def follow(new: Sequence[Entry]) -> None:
        with booked:
            entries.extend(new)
            booked.notify_all()

    path = str(tmp_path / "ledger.sqlite3")
    now_us = 1_795_300_000_000_000
    intake = Intake(
        lambda: MatchingWriter(connect(path, create=True), "a", valued), lambda: now_us, print
    )
    intake.subscribe(follow)
    intake.start()
    made = Ledger("", entries, booked)
    routes = [
        *UsageRoutes(intake, {}).routes(),
        Route("/v1/authorize", lambda r: made.authorize(r)),
    ]
    rules = Rules(frozenset({"localhost"}), receiving=PATHS)
    with service(rules=rules, pages=routes) as running:
        made.url = running.url
        yield made
    intake.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "EVERY_S", 0.02)


@pytest.fixture(autouse=True)
def _fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM brings it; its HTTPException is Starlette's."""
    stand_in = ModuleType("fastapi")
    stand_in.HTTPException = HTTPException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fastapi", stand_in)


def nowhere() -> str:
    """A port at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def plugin(url: str, folder: Path, **more: str) -> TokentopPlugin:
    return TokentopPlugin({
        "TOKENTOP_GATEWAY_URL": url, "TOKENTOP_GATEWAY_SPOOL": str(folder / "spool"),
        **{f"TOKENTOP_GATEWAY_{name}": value for name, value in more.items()},
    })  # fmt: skip


def record(name: str = "chat_success.json", **changes: Any) -> dict[str, Any]:
    raw = json.loads(payload(f"usage/litellm/{name}"))
    return {"standard_logging_object": {**raw, **changes}}


def succeed(one: TokentopPlugin, kwargs: dict[str, Any]) -> None:
    asyncio.run(one.async_log_success_event(kwargs, None, None, None))


def test_what_nobody_took_is_booked_after_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    """All that is read of LiteLLM's record is in the spool, and no message or answer."""
    kwargs = record()
    raw = kwargs["standard_logging_object"]
    raw["messages"] = [{"content": "a secret prompt"}]
    succeed(plugin(nowhere(), tmp_path), kwargs)
    (file,) = (tmp_path / "spool").iterdir()
    assert "secret" not in file.read_text()
    plugin(ledger.url, tmp_path)
    (entry,) = ledger.until(1)
    assert entry.identity == f"litellm:{raw['litellm_call_id']}"
    assert (entry.prompt, entry.generated) == (raw["prompt_tokens"], raw["completion_tokens"])
    assert (entry.project, entry.team, entry.task) == ("alpha", "Blue", "T-42")
    assert entry.authenticated == "user,team,project"


def test_a_clients_own_keys_stay_out_of_the_spool(tmp_path: Path) -> None:
    """LiteLLM hands them over where it forwards them to a provider; names of projects are kept."""
    kwargs = record()
    kwargs["standard_logging_object"]["metadata"]["requester_custom_headers"] = {
        "x-api-key": "sk-secret", "x-auth-token": "sk-secret", "X-Goog-Api-Key": "sk-secret",
        "x-tokentop-project": "kept",
    }  # fmt: skip
    succeed(plugin(nowhere(), tmp_path), kwargs)
    (file,) = (tmp_path / "spool").iterdir()
    assert "sk-secret" not in file.read_text()
    assert "kept" in file.read_text()


def test_a_process_that_is_killed_leaves_its_records(ledger: Ledger, tmp_path: Path) -> None:
    """A living one's file is left alone, a killed one's is sent."""
    code = (
        "import sys; from tokentop.gateway.spool import Spool; spool = Spool(sys.argv[1])\n"
        "for line in sys.stdin: spool.add({'litellm_call_id': line.strip(), 'prompt_tokens': 3,"
        " 'startTime': 1795274000, 'completion_tokens': 2}); print('written', flush=True)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "spool")]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(f"call-{number}\n")
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(3)] == ["written\n"] * 3
        assert list(Spool(str(tmp_path / "spool")).take()) == []
        process.send_signal(signal.SIGKILL)
    plugin(ledger.url, tmp_path)
    found = {entry.identity for entry in ledger.until(3)}
    assert found == {"litellm:call-0", "litellm:call-1", "litellm:call-2"}


def test_a_line_that_was_cut_off_costs_itself(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path))
    spool.add({"litellm_call_id": "1"})
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b'{"litellm_call')
    assert [records for _, records in spool.take()] == [[{"litellm_call_id": "1"}]]


def test_a_spool_has_a_bound(tmp_path: Path) -> None:
    """A disk is not filled while nobody takes anything; the sentence goes to LiteLLM's log."""
    spool = Spool(str(tmp_path), max_bytes=1)
    spool.add({"litellm_call_id": "1"})
    list(spool.take())
    with pytest.raises(OSError, match="that nobody takes"):
        spool.add({"litellm_call_id": "2"})


def test_a_file_that_goes_meanwhile_costs_no_record(tmp_path: Path) -> None:
    """Another process of the gateway sends and removes files while this one adds up their sizes."""
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "sent")  # listed, and no longer there
    Spool(str(tmp_path)).add({"litellm_call_id": "1"})
    assert len([each for each in tmp_path.iterdir() if not each.is_symlink()]) == 1


def test_only_a_bad_record_is_put_aside(ledger: Ledger, tmp_path: Path) -> None:
    """One among 300 of a file, one that is no JSON by the standard, one too deep to be read."""
    spool = Spool(str(tmp_path / "spool"))
    good = [
        {"litellm_call_id": f"call-{number}", "prompt_tokens": 3, "startTime": 1795274000}
        for number in range(300)
    ]
    bad = {"litellm_call_id": "bad", "prompt_tokens": -1, "startTime": 1795274000}
    odd = {**good[0], "litellm_call_id": "odd", "model": "\ud800", "response_cost": float("nan")}
    for each in (*good[:120], bad, odd, *good[120:]):
        spool.add(each)
    spool._seal()
    (path,) = (tmp_path / "spool").iterdir()
    path.write_bytes(b"[" * 100_000 + b"\n" + path.read_bytes())
    one = plugin(ledger.url, tmp_path)
    succeed(one, record())
    found = [entry.identity for entry in ledger.until(302)]
    expected = [*(each["litellm_call_id"] for each in good), "odd"]
    assert sorted(found[:-1]) == sorted(f"litellm:{each}" for each in expected)
    (aside,) = (tmp_path / "spool").glob("*.refused")
    assert [json.loads(line) for line in aside.read_text().splitlines()] == [bad]


def test_what_is_never_taken_is_put_aside(ledger: Ledger, tmp_path: Path) -> None:
    """And holds nothing up."""
    spool = Spool(str(tmp_path / "spool"))
    spool.add({"no": "call"})
    spool._seal()
    one = plugin(ledger.url, tmp_path)
    succeed(one, record())
    ledger.until(1)
    assert [each.suffix for each in (tmp_path / "spool").iterdir() if each.stat().st_size < 50] == [
        ".refused"
    ]


def ask(one: TokentopPlugin, **data: Any) -> dict[str, Any]:
    call = one.async_pre_call_hook(
        user_api_key_dict=KEY, cache=None, data=data, call_type="acompletion"
    )
    return asyncio.run(call)


def test_a_request_is_refused_with_the_services_own_words(ledger: Ledger, tmp_path: Path) -> None:
    """Status, body, and the headers that clients obey."""
    obeyed = REFUSED | {"x-tokentop-budget": "alpha"}
    ledger.answers = [JSONResponse(REFUSAL, 429, obeyed | {"server": "x"})]
    with pytest.raises(HTTPException) as raised:
        ask(plugin(ledger.url, tmp_path))
    assert (raised.value.status_code, raised.value.detail) == (429, REFUSAL)
    assert raised.value.headers == obeyed
    assert ledger.asked == [{"user": "ada", "team": "Blue", "project": "alpha"}]


def test_an_anthropic_request_is_refused_with_headers_too(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM answers those of its own exception there, and drops those of FastAPI's."""

    class ProxyException(Exception):
        def __init__(self, **values: object) -> None:
            self.values = values

    types = ModuleType("litellm.proxy._types")
    types.ProxyException = ProxyException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "litellm.proxy._types", types)
    ledger.answers = [JSONResponse(REFUSAL, 429, REFUSED)]
    call = plugin(ledger.url, tmp_path).async_pre_call_hook(
        user_api_key_dict=KEY, cache=None, data={}, call_type="anthropic_messages"
    )
    with pytest.raises(ProxyException) as raised:
        asyncio.run(call)
    assert raised.value.values == {
        "message": REFUSAL["error"]["message"], "type": "budget_exceeded", "param": None,
        "code": 429, "headers": REFUSED,
    }  # fmt: skip


def test_a_request_is_let_through(ledger: Ledger, tmp_path: Path) -> None:
    """Also where the service decides nothing."""
    ledger.answers = [Response(), Response(status_code=404)]
    one = plugin(ledger.url, tmp_path)
    assert ask(one, model="m") == {"model": "m"}
    assert ask(plugin(ledger.url, tmp_path), model="m") == {"model": "m"}


def test_the_failure_mode_holds_while_nobody_can_be_asked(tmp_path: Path) -> None:
    url = nowhere()
    assert ask(plugin(url, tmp_path), model="m") == {"model": "m"}
    with pytest.raises(HTTPException) as raised:
        ask(plugin(url, tmp_path, FAILURE_MODE="closed"))
    assert raised.value.status_code == 429
    assert raised.value.headers == {"x-should-retry": "false"}


@pytest.mark.parametrize("status", [401, 403, 414, 421, 502])
def test_an_answer_that_decides_nothing_refuses_nobody(
    ledger: Ledger, tmp_path: Path, status: int
) -> None:
    """Like that to a host name which the service does not go by: the failure mode holds."""
    ledger.answers = [Response(status_code=status)]
    assert ask(plugin(ledger.url, tmp_path), model="m") == {"model": "m"}
    with pytest.raises(HTTPException) as raised:
        ask(plugin(ledger.url, tmp_path, FAILURE_MODE="closed"))
    assert raised.value.status_code == 429


def chunk(text: str | None) -> SimpleNamespace:
    return SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(content=text))])


async def chunks(count: int) -> AsyncIterator[SimpleNamespace]:
    yield chunk(None)  # the role
    for _ in range(count):
        yield chunk("word")


DATA = {
    "litellm_call_id": "call-9", "model": "tiny-llama", "metadata": {},
    "proxy_server_request": {"headers": {"x-task-id": "T-7", "authorization": "Bearer secret"}},
}  # fmt: skip


async def read(one: TokentopPlugin, count: int, most: int | None = None) -> int:
    """How many chunks a client gets; it hangs up after `most`."""
    got = 0
    stream = one.async_post_call_streaming_iterator_hook(
        user_api_key_dict=KEY, response=chunks(count), request_data=DATA
    )
    async for _ in stream:
        got += 1
        if got == most:
            break
    return got


def test_a_stream_is_ended_and_what_was_sent_is_booked(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM's own event of it, a failure without tokens, does not count."""
    monkeypatch.setattr(litellm, "CHECK_S", 0.0)
    ledger.answers = [Response(), Response(), Response(), JSONResponse(REFUSAL, 429, REFUSED)]
    one = plugin(ledger.url, tmp_path)

    async def both() -> None:
        with pytest.raises(StreamEnded, match="budget is spent"):
            await read(one, 100)
        failed = record("chat_failure_connection.json", litellm_call_id="call-9")
        await one.async_log_failure_event(failed, None, None, None)

    asyncio.run(both())
    succeed(one, record())
    found = {entry.identity: entry for entry in ledger.until(2)}
    entry = found["litellm:call-9"]
    assert (entry.generated, entry.outcome, entry.estimated) == (3, "aborted", 1)
    assert (entry.team, entry.project, entry.task) == ("Blue", "alpha", "T-7")
    assert "secret" not in str(entry)


ANTHROPIC = """\
event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}}

"""
END = 'event: message_delta\ndata: {"type": "message_delta", "usage": {"output_tokens": 2}}\n\n'
RESPONSES = (
    SimpleNamespace(type="response.created"),
    SimpleNamespace(type=StreamEvent.DELTA),
    SimpleNamespace(type="response.reasoning_summary_text.delta"),
    SimpleNamespace(type="response.completed"),
)


@pytest.mark.parametrize(
    "sent", [(ANTHROPIC, END), (ANTHROPIC.encode(), END.encode()), RESPONSES], ids=str
)
def test_streams_of_other_apis_are_counted_too(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: tuple[object, ...]
) -> None:
    """Two tokens in each."""

    async def stream() -> AsyncIterator[object]:
        for each in sent:
            yield each
        monkeypatch.setattr(litellm, "CHECK_S", 0.0)
        yield SimpleNamespace(choices=[])

    async def ended() -> None:
        with pytest.raises(StreamEnded):
            async for _ in one.async_post_call_streaming_iterator_hook(KEY, stream(), DATA):
                pass

    ledger.answers = [JSONResponse(REFUSAL, 429, REFUSED)]
    one = plugin(ledger.url, tmp_path)
    asyncio.run(ended())
    (entry,) = ledger.until(1)
    assert entry.generated == 2


def test_a_client_that_hung_up_got_as_many_tokens_as_chunks(ledger: Ledger, tmp_path: Path) -> None:
    """LiteLLM guesses 1,767."""
    one = plugin(ledger.url, tmp_path)

    async def both() -> None:
        assert await read(one, 100, most=9) == 9
        gone = record("chat_stream_client_disconnected_499.json", litellm_call_id="call-9")
        await one.async_log_success_event(gone, None, None, None)

    asyncio.run(both())
    (entry,) = ledger.until(1)
    assert (entry.generated, entry.outcome, entry.estimated) == (8, "aborted", 1)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("FAILURE_MODE", "ajar", "neither open nor closed"),
        ("TIMEOUT_S", "soon", "no number of seconds"),
        ("TOKEN_FILE", "/nonexistent/token", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_sentence(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings({f"TOKENTOP_GATEWAY_{name}": value})


def test_a_token_file_is_read_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-of-the-gateway\n")
    found = settings({"TOKENTOP_GATEWAY_TOKEN_FILE": str(tmp_path / "token")})
    assert found.token is not None
    assert found.token.reveal() == "s3cret-of-the-gateway"
    assert "s3cret" not in repr(found)
