"""The screen's transport: connections kept and replaced, independence, a bounded end."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.servers.behaviours import hanging, ok, raw, status
from tests.servers.certificates import private_ca
from tests.servers.loopback import Server
from tests.servers.stack import Stack
from tokentop.domain.readings import Failure
from tokentop.transport.http.client_async import Pool
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.network import Backend
from tokentop.transport.http.resolver import Found, Resolver


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool()
    yield made
    await made.aclose()


async def test_one_connection_serves_every_poll(pool: Pool) -> None:
    """Five polls of one service open one connection."""
    with Server(ok(1)) as server:
        for _ in range(5):
            assert isinstance(await pool.fetch(Request(server.url)), Reply)
        assert (len(server.asked), server.connections) == (5, 1)


async def test_a_connection_the_service_dropped_is_replaced(pool: Pool) -> None:
    """A service that restarts between two polls costs no failed poll."""
    with Server(ok(1)) as server:
        assert isinstance(await pool.fetch(Request(server.url)), Reply)
        server.drop_connections()
        assert isinstance(await pool.fetch(Request(server.url)), Reply)
        assert server.connections == 2


async def test_a_connection_that_dies_on_being_asked_is_retried_once(pool: Pool) -> None:
    """Where a kept connection takes the question and closes, a fresh one is asked, but only one."""
    with Server(ok(1)) as server:
        assert isinstance(await pool.fetch(Request(server.url)), Reply)
        server.answer = lambda _: False
        outcome = await pool.fetch(Request(server.url))
        assert isinstance(outcome, Failure)
        assert outcome.kind == "reset"
        assert (len(server.asked), server.connections) == (3, 2)


async def test_a_fresh_connection_that_fails_is_not_retried(pool: Pool) -> None:
    """A service that closes on everybody is asked once a poll."""
    with Server(lambda _: False) as server:
        assert isinstance(await pool.fetch(Request(server.url)), Failure)
        assert len(server.asked) == 1


async def test_a_hanging_service_holds_nobody_up(pool: Pool) -> None:
    """Thirteen answers are in while the hanging service's two are still awaited."""
    with Stack() as stack:
        stack.misbehave("mint", hanging())
        asked = {
            (name, path): asyncio.create_task(pool.fetch(Request(stack.url(name) + path, 60.0)))
            for name, rows in stack.answers.items()
            for path in rows
        }
        others = [task for (name, _), task in asked.items() if name != "mint"]
        assert all(isinstance(outcome, Reply) for outcome in await asyncio.gather(*others))
        hung = [task for (name, _), task in asked.items() if name == "mint"]
        assert [task.done() for task in hung] == [False, False]
        for task in hung:
            task.cancel()


async def test_cancelling_a_fetch_cancels_it(pool: Pool) -> None:
    """CancelledError is the one thing that passes through: the app is leaving."""
    with Server(hanging()) as server:
        task = asyncio.create_task(pool.fetch(Request(server.url, timeout_s=60.0)))
        await asyncio.to_thread(server.arrived.acquire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_plain_http_loads_no_ca_bundle(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No certificate is read while every URL is plain http: that would cost megabytes."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with Server(ok(1)) as server:
        assert isinstance(await pool.fetch(Request(server.url)), Reply)
    ((key, transport),) = pool._transports.items()
    assert key[0] == server.url
    assert transport._pool._ssl_context.cert_store_stats()["x509"] == 0  # type: ignore[attr-defined]


async def test_tls_connections_are_kept_as_well(pool: Pool, tmp_path: object) -> None:
    """One handshake for many polls."""
    with Server(ok(1), tls=private_ca().good) as server:
        for _ in range(3):
            assert isinstance(await pool.fetch(Request(server.url, verify=False)), Reply)
        assert server.connections == 1


async def test_proxies_of_the_environment_are_not_asked(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY sees neither the questions nor their tokens."""
    with Server(status(500)) as proxy, Server(ok(1)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert isinstance(await pool.fetch(Request(server.url)), Reply)
        assert proxy.connections == 0


async def test_cookies_are_not_kept(pool: Pool) -> None:
    """A service cannot make one poll differ from the next."""
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 1\r\n\r\n1"
    with Server(raw(answer)) as server:
        for _ in range(2):
            assert isinstance(await pool.fetch(Request(server.url)), Reply)
        assert "cookie" not in server.asked[1].headers


class HangsOnClose(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"1")

    async def aclose(self) -> None:
        await asyncio.Event().wait()


async def test_a_given_transport_stands_in_and_cannot_hold_up_closing() -> None:
    """The demo's transport is asked by the same rules; aclose returns though its own never does."""
    pool = Pool(HangsOnClose())
    reply = await pool.fetch(Request("https://demo.test/x"))
    assert isinstance(reply, Reply)
    assert reply.body == b"1"
    await pool.aclose()


class Raises(httpx.AsyncBaseTransport):
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("demo"), "refused"),
        (httpx.ReadTimeout("demo"), "timeout"),
        (httpx.ReadError("demo"), "reset"),
        (httpx.RemoteProtocolError("demo"), "bad-data"),
        (RuntimeError("secret"), "unreachable"),
    ],
)
async def test_whatever_a_transport_raises_is_a_value(error: Exception, kind: str) -> None:
    """No exception of a transport reaches the poll loop, and no words of it the screen."""
    outcome = await Pool(Raises(error)).fetch(Request("http://demo.test/"))
    assert isinstance(outcome, Failure)
    assert outcome.kind == kind
    assert "secret" not in outcome.text


async def test_hanging_lookups_hold_up_no_other_name() -> None:
    """Forty names that never resolve leave the next one its thread; each is looked up once."""
    never = threading.Event()
    looked_up: list[str] = []

    def look_up(host: str) -> Found:
        looked_up.append(host)
        if host.startswith("hang"):
            never.wait()
        return ["192.0.2.1"]

    resolver = Resolver(look_up)
    names = [f"hang{n}.test" for n in range(40)] * 2
    hung = [asyncio.create_task(resolver.addresses(name)) for name in names]
    assert await resolver.addresses("fine.test") == ["192.0.2.1"]
    assert not any(task.done() for task in hung)
    assert sorted(looked_up) == sorted({*names, "fine.test"})
    for task in hung:
        task.cancel()
    never.set()


async def test_the_next_address_is_tried_where_one_refuses() -> None:
    """A name with two addresses reaches the service that listens on the second only."""
    with Server(ok(1)) as server:
        backend = Backend(Resolver(lambda _: ["127.0.0.2", "127.0.0.1"]))
        stream = await backend.connect_tcp("both.test", server.port, timeout=5.0)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", server.port)
        await stream.aclose()


async def test_a_lookup_that_fails_raises_for_everyone_who_waits() -> None:
    """Two requests for one bad name share one lookup and one error; the next asks afresh."""
    asked: list[str] = []

    def look_up(host: str) -> Found:
        asked.append(host)
        return socket.gaierror(-2, "Name or service not known")

    resolver = Resolver(look_up)
    both = await asyncio.gather(
        *(resolver.addresses("no.test") for _ in range(2)), return_exceptions=True
    )
    assert [type(error) for error in both] == [socket.gaierror] * 2
    assert asked == ["no.test"]
    with pytest.raises(socket.gaierror):
        await resolver.addresses("no.test")
    assert len(asked) == 2
