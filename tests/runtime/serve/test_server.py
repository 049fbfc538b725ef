"""The collector and the server together, on the test's own loop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tokentop.config.load import load
from tokentop.config.schema import AlertConfig, AlertsConfig, Config
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.serve import server
from tokentop.runtime.serve.app import Documents
from tokentop.runtime.serve.guard import Rules
from tokentop.runtime.serve.hub import Formats, Hub
from tokentop.runtime.serve.server import Service, serve
from tokentop.transport.http.listen import listen
from tokentop.views.metrics import openmetrics, prometheus

STREAM = "/api/system/token-economy/stream"


@asynccontextmanager
async def demo(
    said: list[str], config: Config | None = None
) -> AsyncIterator[tuple[str, "asyncio.Task[int]"]]:
    """A frozen demo that is served; yields its address and the task that ends with its code."""
    frozen = {"demo.at_s": 10.0, "demo.enabled": True}
    config = config or load(frozen, {"HOME": "/nowhere"}, None)
    formats = Formats(dumps, prometheus, openmetrics)
    service = Service(config, formats, Documents("{}", "{}"), Rules(), said.append)
    (listener,) = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    task = asyncio.create_task(serve(service, [listener]))
    yield url, task
    await asyncio.wait_for(task, 10)


class Log(list[str]):
    """What was said; `heard` is set by the sentence that is waited for."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.heard = asyncio.Event()
        self._wanted = wanted

    def append(self, sentence: str) -> None:
        super().append(sentence)
        if sentence == self._wanted:
            self.heard.set()


async def test_a_comment_comes_where_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 15 s, which is made shorter here; the stream stays open for the next."""
    assert server.COMMENT_EVERY_S == 15.0
    monkeypatch.setattr(server, "COMMENT_EVERY_S", 0.05)
    said: list[str] = []
    async with demo(said) as (url, _), httpx.AsyncClient(base_url=url) as web:
        comments, data = 0, 0
        async with web.stream("GET", STREAM) as answer:
            async for line in answer.aiter_lines():
                comments += line.startswith(":")
                data += line.startswith("data: ")
                if comments == 3:
                    break
        os.kill(os.getpid(), signal.SIGTERM)
    assert data == 1
    assert said == []


async def test_a_bell_without_a_terminal_is_said_to_be_none() -> None:
    """Once an alert, in the log: nobody waits for a sound that never comes."""
    alert = AlertConfig("busy", "interval_s > 0", actions=("bell", "notify"))
    flags = {"gpus": False, "discovery.enabled": False, "ui.state": False}
    quiet = load(flags, {"HOME": "/nowhere"}, None)
    sentence = "Alert busy: bell and notify reach only screens that are attached."
    said = Log(sentence)
    async with demo(said, quiet._replace(alerts=AlertsConfig(rows=(alert,)))):
        await asyncio.wait_for(said.heard.wait(), 10)
        os.kill(os.getpid(), signal.SIGTERM)
    assert said.count(sentence) == 1


async def test_a_fault_of_a_worker_ends_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one sentence and exit code 1, so that systemd starts it again."""

    def broken(_: Hub) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(server, "COMMENT_EVERY_S", 0.05)
    monkeypatch.setattr(Hub, "beat", broken)
    said: list[str] = []
    async with demo(said) as (_, task):
        assert await asyncio.wait_for(asyncio.shield(task), 10) == 1
    (sentence,) = said
    assert sentence.startswith("unexpected KeyError in test_server.py:")
    assert "secret" not in sentence
