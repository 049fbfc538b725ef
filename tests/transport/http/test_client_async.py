"""The screen's transport: connections kept and replaced, independence, a bounded end."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.servers.behaviours import hanging, ok, raw, status
from tests.servers.certificates import private_ca
from tests.servers.loopback import Server
from tests.servers.stack import Stack
from tokentop.domain.readings import Failure
from tokentop.transport.http.client_async import INLINE, Pool
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Batches
from tokentop.transport.http.resolver import Found


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


@pytest.mark.parametrize("size", [2, INLINE + 1])
async def test_an_answer_is_of_when_it_came(pool: Pool, size: int) -> None:
    """Not of when it was read and handed over: a rate lies between two such moments."""
    read_at: list[float] = []

    def steps(request: Request) -> Batches:
        for _ in range(2):
            yield (request,)
            read_at.append(time.monotonic())

    with Server(ok("x" * size)) as server:
        poll = await pool.poll(steps(Request(server.url)), Request(server.url))
    first, second = read_at
    assert poll.began is not None
    assert poll.ended is not None
    assert poll.began < first < poll.ended < second
    assert poll.latency_s == poll.ended - poll.began
    assert poll.age_s > time.monotonic() - second


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
    monkeypatch.setattr("tokentop.transport.http.tls._made", None)
    with Server(ok(1)) as server:
        assert isinstance(await pool.fetch(Request(server.url)), Reply)


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


async def test_a_given_dial_stands_in_for_the_network() -> None:
    """The demo's connections are used by the same rules, whatever the address says."""

    def dial(request: Request, _timeout_s: float) -> socket.socket:
        if request.url.endswith("/refused"):
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n1")
        return ours

    pool = Pool(dial)
    reply = await pool.fetch(Request("http://demo.test/x"))
    refused = await pool.fetch(Request("http://demo.test/refused"))
    await pool.aclose()
    assert isinstance(reply, Reply)
    assert reply.body == b"1"
    assert isinstance(refused, Failure)
    assert refused.kind == "refused"


async def test_closing_does_not_wait_for_what_hangs() -> None:
    """A lookup and a server that never answer hold nothing up."""
    never = threading.Event()

    def look_up(_: str) -> Found:
        never.wait()
        return []

    pool = Pool(look_up=look_up)
    with Server(hanging()) as server:
        tasks = [
            asyncio.create_task(pool.fetch(Request(url, timeout_s=60.0)))
            for url in (server.url, "http://hang.test/")
        ]
        await asyncio.to_thread(server.arrived.acquire)
        began = time.monotonic()
        await pool.aclose()
        assert time.monotonic() - began < 5.0
    for task in tasks:
        task.cancel()
    never.set()


async def test_whatever_a_poll_raises_is_a_value(pool: Pool) -> None:
    """No exception reaches the poll loop, and no words of it the screen; later polls go on."""

    def broken() -> Batches:
        yield (Request(server.url),)
        raise ValueError("secret")

    with Server(ok(1)) as server:
        result = (await pool.poll(broken(), Request(server.url))).result
        assert isinstance(await pool.fetch(Request(server.url)), Reply)
    assert isinstance(result, Failure)
    assert result.kind == "bad-data"
    assert "secret" not in result.text


async def test_hanging_lookups_hold_up_no_other_name() -> None:
    """Forty names that never resolve leave the next one its thread; each is looked up once."""
    never = threading.Event()
    looked_up: list[str] = []
    every_name = threading.Event()

    def look_up(host: str) -> Found:
        looked_up.append(host)
        if len(looked_up) == 41:
            every_name.set()
        if host.startswith("hang"):
            never.wait()
        return [(socket.AF_INET, ("127.0.0.1", 0))]

    pool = Pool(look_up=look_up)
    with Server(ok(1)) as server:
        names = [f"hang{n}.test" for n in range(40)] * 2
        hung = [asyncio.create_task(pool.fetch(Request(f"http://{n}/", 60.0))) for n in names]
        fine = await pool.fetch(Request(f"http://fine.test:{server.port}/", 60.0))
    assert isinstance(fine, Reply)
    assert not any(task.done() for task in hung)
    assert await asyncio.to_thread(every_name.wait, 10.0)
    assert sorted(looked_up) == sorted({*names, "fine.test"})
    for task in hung:
        task.cancel()
    await pool.aclose()
    never.set()


async def test_a_lookup_that_fails_fails_for_all_that_wait() -> None:
    """Two requests for one bad name share one lookup and one error; the next asks afresh."""
    asked: list[str] = []
    gate = threading.Event()

    def look_up(host: str) -> Found:
        asked.append(host)
        gate.wait()
        return socket.gaierror(-2, "Name or service not known")

    pool = Pool(look_up=look_up)
    both = asyncio.gather(*(pool.fetch(Request("http://no.test/", 60.0)) for _ in range(2)))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.05, gate.set)
    kinds = [outcome.kind for outcome in await both if isinstance(outcome, Failure)]
    assert kinds == ["no-such-host"] * 2
    assert asked == ["no.test"]
    await pool.fetch(Request("http://no.test/", 60.0))
    assert len(asked) == 2
    await pool.aclose()


async def test_without_a_thread_the_loop_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full process table costs smoothness, not the figures; closing waits for no thread."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        pool = Pool()
    with Server(ok(1)) as server:
        answer = await pool.fetch(Request(server.url))
        await pool.aclose()
    assert isinstance(answer, Reply)
