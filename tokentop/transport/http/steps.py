"""What the steps of an exchange wait for, and what they share; `client.py` runs them.

A step generator yields what it waits for and is resumed when that is so, with TimeoutError thrown
in where it takes too long.
"""

import _socket as socket  # the C module: socket.py makes enums of it first, 3 % of a one-line view
from collections.abc import Callable, Generator

from tokentop.light_typing import Any, TypeVar
from tokentop.named_tuple import NamedTuple
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.connections import IdleConnections
from tokentop.transport.http.descriptors import SocketBudget
from tokentop.transport.http.messages import Request

READ, WRITE = 1, 2  # as selectors has them


class Socket(NamedTuple):
    """Wait until the socket is ready; at most until `until` (monotonic)."""

    sock: socket.socket
    mask: int
    until: float | None = None


class Lookup(NamedTuple):
    """Wait for a host's addresses, which are sent in."""

    host: str


class Permit(NamedTuple):
    """Wait until the poll's large answers may be read."""

    budget: Budget


class Place(NamedTuple):
    """Wait for a place in the socket budget; the exchange's time counts from then on."""


Wait = Socket | Lookup | Permit | Place
T = TypeVar("T")
Steps = Generator[Wait, Any, T]
Dial = Callable[[Request, float], socket.socket]
"""Gives a connected socket at once, ready for HTTP, within so many seconds."""


class Net(NamedTuple):
    """What exchanges share: the kept connections, if any are, and the budget of sockets."""

    sockets: SocketBudget
    idle: IdleConnections | None = None
    dial: Dial | None = None
