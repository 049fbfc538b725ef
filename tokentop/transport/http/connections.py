"""Open connections: each takes its place in the process's socket budget; some are kept alive."""

import _socket as socket  # see steps.py
from contextlib import suppress

from tokentop.light_typing import TYPE_CHECKING, Any
from tokentop.transport.http.descriptors import SocketBudget

if TYPE_CHECKING:
    from ssl import SSLContext

Key = tuple[str, "SSLContext | None"]
"""What may share a connection: the origin, and how its certificate is verified."""

KEPT_ALIVE_S = 90.0
MANY = 64  # origins; from then on one connection each is kept


class Connection:
    """A non-blocking socket; its place in the budget is given back with `close`."""

    __slots__ = ("_sockets", "idle_since", "key", "sock")

    def __init__(self, key: Key, sock: socket.socket, sockets: SocketBudget | None) -> None:
        self.key = key
        self.sock = sock
        self.idle_since = 0.0
        self._sockets = sockets

    def close(self) -> None:
        """Close it, once."""
        with suppress(OSError):
            self.sock.close()
        if self._sockets is not None:
            self._sockets.give()
            self._sockets = None

    def is_stale(self) -> bool:
        """Whether the peer has closed it, or sent what nothing asked for; TLS cannot say."""
        if self.key[1] is not None:
            return False
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


class IdleConnections:
    """Connections that wait for the next poll of their origin; times are monotonic."""

    def __init__(self) -> None:
        self._by_key: dict[Key, list[Connection]] = {}

    def take(self, key: Key, now: float) -> Connection | None:
        """One that is still good; the others of its origin stay."""
        waiting = self._by_key.get(key, [])
        while waiting:
            connection = waiting.pop()
            if now - connection.idle_since <= KEPT_ALIVE_S and not connection.is_stale():
                return connection
            connection.close()
        self._by_key.pop(key, None)
        return None

    def put(self, connection: Connection, now: float) -> None:
        """Keep it for the next poll, unless its origin has one and there are many origins.

        An engine's first poll makes three requests, most others one: 256 engines would hold
        768 descriptors.
        """
        waiting = self._by_key.setdefault(connection.key, [])
        if waiting and len(self._by_key) >= MANY:
            connection.close()
            return
        connection.idle_since = now
        waiting.append(connection)

    def close_one(self) -> bool:
        """Make room: a second connection to an origin first, then the oldest; False without any."""
        lists = [waiting for waiting in self._by_key.values() if waiting]
        if not lists:
            return False
        chosen = max(lists, key=_dispensable)
        chosen.pop(0).close()
        return True

    def close_expired(self, now: float) -> None:
        """Close what has not been used for KEPT_ALIVE_S: its origin is polled no more."""
        for key, waiting in list(self._by_key.items()):
            fresh = [c for c in waiting if now - c.idle_since <= KEPT_ALIVE_S]
            for connection in waiting:
                if connection not in fresh:
                    connection.close()
            if fresh:
                self._by_key[key] = fresh
            else:
                del self._by_key[key]

    def close_all(self) -> None:
        for waiting in self._by_key.values():
            for connection in waiting:
                connection.close()
        self._by_key.clear()


def _dispensable(waiting: list[Connection]) -> tuple[Any, ...]:
    return len(waiting) > 1, -waiting[0].idle_since
