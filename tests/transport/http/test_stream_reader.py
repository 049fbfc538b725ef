"""Answers without end: handed over as they come, bounded in silence and in cost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.servers.behaviours import head, ok
from tests.servers.loopback import Behaviour, Connection, Server
from tokentop.domain.readings import Failure
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.network_thread import NetworkThread

HEAD = head(transfer_encoding="chunked")


@pytest_asyncio.fixture
async def network() -> AsyncIterator[NetworkThread]:
    made = NetworkThread()
    yield made
    await made.stop(1.0)


def streamed(*pieces: bytes, every_s: float = 0.0, end: bool = False) -> Behaviour:
    """The pieces as chunks, one every so many seconds, then the end or silence."""

    def behave(connection: Connection) -> bool:
        with contextlib.suppress(OSError):
            connection.send(HEAD)
            for piece in pieces:
                connection.pause(every_s)
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            if end:
                connection.send(b"0\r\n\r\n")
                return False
            connection.pause()
        return False

    return behave


async def test_pieces_come_as_they_are_sent(network: NetworkThread) -> None:
    """Whole chunks in order; the reply at the end has no body."""
    got: list[bytes] = []
    with Server(streamed(b"one", b"two", end=True)) as server:
        answer = await network.get(Request(server.url), take=got.append)
    assert got == [b"one", b"two"]
    assert isinstance(answer, Reply)
    assert answer.body == b""


async def test_only_silence_is_timed(network: NetworkThread) -> None:
    """A stream that goes on outlives its limit; one that stops has failed after it."""
    got: list[bytes] = []
    with Server(streamed(*[b"x"] * 5, every_s=0.12)) as server:
        answer = await network.get(Request(server.url, timeout_s=0.4), take=got.append)
    assert len(got) == 5
    assert isinstance(answer, Failure)
    assert answer.kind in ("timeout", "our-limit")  # ours where this machine had no time to look


async def test_a_flood_of_tiny_pieces_is_refused(network: NetworkThread) -> None:
    with Server(streamed(*[b"x"] * 20_000)) as server:
        answer = await network.get(Request(server.url), take=len)
    assert isinstance(answer, Failure)
    assert answer.kind == "too-large"


async def test_streams_hold_up_no_other_request(network: NetworkThread) -> None:
    """A large stream that goes on takes nothing from a large answer."""
    with (
        Server(streamed(*[b"x" * 100_000] * 5)) as endless,
        Server(ok(b"y" * 1_000_000)) as large,
    ):
        got: list[bytes] = []
        stream = asyncio.ensure_future(network.get(Request(endless.url), take=got.append))
        answer = await network.get(Request(large.url))
        stream.cancel()
    assert isinstance(answer, Reply)
    assert len(answer.body) == 1_000_000
