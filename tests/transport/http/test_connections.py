"""Connections that wait for the next poll: with many origins one each."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tokentop.transport.http.connections import MANY, Connection, IdleConnections
from tokentop.transport.http.descriptors import SocketBudget

HERE = ("http://127.0.0.1:8000", None)
TOTAL = 128


class Idle(IdleConnections):
    """The same over socket pairs; `sockets` counts what is open."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        self.sockets = SocketBudget(TOTAL)
        self._stack = stack

    def open(self, key: tuple[str, None], now: float) -> Connection:
        """A connection that was used at `now`."""
        ours, theirs = socket.socketpair()
        self._stack.enter_context(theirs)
        ours.setblocking(False)
        assert self.sockets.take()
        connection = Connection(key, ours, self.sockets)
        self.put(connection, now)
        return connection

    @property
    def places_left(self) -> int:
        """How many more sockets may be opened."""
        left = 0
        while self.sockets.take():
            left += 1
        for _ in range(left):
            self.sockets.give()
        return left


@pytest.fixture
def idle() -> Iterator[Idle]:
    with ExitStack() as stack:
        kept = Idle(stack)
        yield kept
        kept.close_all()


def test_with_many_origins_one_connection_each_is_kept(idle: Idle) -> None:
    """What a second and a third request of one poll were made on is closed at once."""
    for port in range(MANY):
        idle.open((f"http://127.0.0.1:{port}", None), 0.0)
    assert idle.places_left == TOTAL - MANY
    for _ in range(3):
        idle.open(HERE, 1.0)
    assert idle.places_left == TOTAL - MANY - 1


def test_with_few_origins_every_request_of_a_poll_keeps_its_own(idle: Idle) -> None:
    """Requests of one poll are made at the same time, and connect once."""
    kept = [idle.open(HERE, 0.0) for _ in range(3)]
    assert {idle.take(HERE, 4.0) for _ in kept} == set(kept)
    for connection in kept:
        connection.close()


def test_an_origin_that_is_polled_no_more_has_none(idle: Idle) -> None:
    """After 90 seconds even the last is closed, and its place is free."""
    idle.open(HERE, 0.0)
    idle.close_expired(91.0)
    assert idle.places_left == TOTAL
    assert idle.take(HERE, 91.0) is None
