"""One GET with its redirects, as steps between waits; whoever runs them waits on the sockets.

A step generator yields what it waits for and is resumed when that is so, with TimeoutError thrown
in where it takes too long. It returns a value and raises nothing.
"""

import errno
import socket
from collections.abc import Callable, Generator
from time import monotonic, thread_time
from typing import Any, NamedTuple, TypeVar

from tokentop.domain.readings import Failure
from tokentop.domain.urls import Target
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.connections import Connection, IdleConnections, Key
from tokentop.transport.http.descriptors import SocketBudget
from tokentop.transport.http.failures import (
    RequestFailed,
    failure_for_exception,
    our_limit,
    timed_out,
)
from tokentop.transport.http.http1 import Http1Reader
from tokentop.transport.http.messages import Reply, Request, head, next_hop, no_answer, target_of
from tokentop.transport.http.redact import without_secrets
from tokentop.transport.http.resolver import Address, at_port, literal

READ, WRITE = 1, 2  # as selectors has them
RECEIVE_BYTES = 64 * 1024
ATTEMPTS = 3  # to get a descriptor
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


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


Take = Callable[[bytes], object]
"""Is given each piece of an answer without end."""


def exchange(
    request: Request, net: Net, budget: Budget, take: Take | None = None
) -> Steps[Reply | Failure]:
    """The reply (without its latency) or the failure; whoever runs the steps keeps the time.

    With `take` the body is handed over piece by piece, and the reply has none.
    """
    try:
        if budget.failure is not None:
            return budget.failure
        return (yield from _follow(request, net, budget, take))
    except RequestFailed as failed:
        return failed.failure
    except TimeoutError:
        return timed_out(request.url, request.timeout_s)
    except Exception as error:  # noqa: BLE001  # ssl and sockets raise what they like
        return failure_for_exception(error, request.url, request.timeout_s)


def _follow(
    request: Request, net: Net, budget: Budget, take: Take | None
) -> Steps[Reply | Failure]:
    hops = 0
    while True:
        answer = yield from _ask(request, net, budget, take)
        if not isinstance(answer, str):
            return without_secrets(answer, request)
        hops += 1
        step = next_hop(request, answer, hops)
        if isinstance(step, Failure):
            return step
        request = step


def _ask(
    request: Request, net: Net, budget: Budget, take: Take | None
) -> Steps[Reply | Failure | str]:
    """One request and its answer, or the Location it redirects to.

    A kept connection that turns out to be dead is replaced by a new one, once.
    """
    target = target_of(request)
    data = head(request, target, close=net.idle is None)
    key = _key(request, target)
    kept = net.idle.take(key, monotonic()) if net.idle is not None else None
    if kept is not None:
        reader = _reader(request, budget, take)
        try:
            return (yield from _converse(kept, data, reader, net, budget))
        except (ConnectionError, RequestFailed):
            if reader.began:
                raise
    connection = yield from _connect(request, target, key, net)
    reader = _reader(request, budget, take)
    try:
        return (yield from _converse(connection, data, reader, net, budget))
    except ConnectionError:
        if reader.began:
            raise
        raise RequestFailed(no_answer(request)) from None


def _reader(request: Request, budget: Budget, take: Take | None) -> Http1Reader:
    if take is None:
        return Http1Reader(request, budget)
    from tokentop.transport.http.stream_reader import StreamReader

    return StreamReader(request, budget, take)


def _converse(
    connection: Connection, data: bytes, reader: Http1Reader, net: Net, budget: Budget
) -> Steps[Reply | Failure | str]:
    done = False
    try:
        yield from _send(connection, data)
        while reader.result is None:
            received = yield from _receive(connection)
            began = thread_time()
            reader.feed(received) if received else reader.end()
            budget.take_cpu(thread_time() - began)
            if budget.is_large and not budget.permitted:
                yield Permit(budget)
        done = reader.reusable and net.idle is not None
        return reader.result
    finally:
        reader.close()
        if done and net.idle is not None:
            net.idle.put(connection, monotonic())
        else:
            connection.close()


def _send(connection: Connection, data: bytes) -> Steps[None]:
    """Send it; a peer that has answered and gone without reading it is still read."""
    sent = 0
    while sent < len(data):
        try:
            sent += connection.sock.send(data[sent:])
        except ConnectionError:
            return
        except OSError as error:
            mask = _blocked(error, WRITE)
            if mask is None:
                raise
            yield Socket(connection.sock, mask)


def _receive(connection: Connection) -> Steps[bytes]:
    """What is there, after a wait; empty at the end."""
    mask = READ
    while True:
        # Also where more is there already: others come first.
        yield Socket(connection.sock, mask)
        try:
            return connection.sock.recv(RECEIVE_BYTES)
        except OSError as error:
            wanted = _blocked(error, READ)
            if wanted is None:
                raise
            mask = wanted


def _blocked(error: OSError, plain: int) -> int | None:
    """What to wait for before trying again; None where the error is one.

    TLS errors are known by name, so that ssl need not be imported.
    """
    if isinstance(error, BlockingIOError):
        return plain
    return {"SSLWantReadError": READ, "SSLWantWriteError": WRITE}.get(type(error).__name__)


def _key(request: Request, target: Target) -> Key:
    if target.scheme != "https":
        return target.origin, None
    from tokentop.transport.http.tls import context_for

    return target.origin, context_for(request.ca_bundle, request.verify)


def _connect(request: Request, target: Target, key: Key, net: Net) -> Steps[Connection]:
    if net.dial is not None:
        sock = net.dial(request, request.timeout_s)
        sock.setblocking(False)
        return Connection(key, sock, None)
    found = literal(target.host)
    if found is None:
        found = yield Lookup(target.host)
        if isinstance(found, OSError):
            raise found
    addresses = [at_port(address, target.port) for address in found]
    sock = yield from _connected(addresses, request.timeout_s, net)
    connection = Connection(key, sock, net.sockets)
    try:
        if key[1] is not None:
            yield from _secured(connection, target.host)
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(addresses: list[Address], timeout_s: float, net: Net) -> Steps[socket.socket]:
    """A socket to the first address that takes it; none may use up the others' time."""
    for _ in range(ATTEMPTS):
        yield Place()
        try:
            return (yield from _first_open(addresses, monotonic() + timeout_s))
        except OSError as error:
            net.sockets.give()
            if error.errno not in _NO_DESCRIPTOR:
                raise
            net.sockets.exhausted()
        except BaseException:
            net.sockets.give()
            raise
    raise RequestFailed(our_limit("no file descriptor was left to ask it with"))


def _first_open(addresses: list[Address], until: float) -> Steps[socket.socket]:
    error: OSError = ConnectionRefusedError()
    for place, (family, address) in enumerate(addresses):
        now = monotonic()
        share = (until - now) / (len(addresses) - place)
        try:
            return (yield from _opened(family, address, now + share))
        except OSError as failed:
            error = failed
    raise error


def _opened(family: int, address: tuple[Any, ...], until: float) -> Steps[socket.socket]:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code in _UNDER_WAY:
            yield Socket(sock, WRITE, until)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "not connected")
    except BaseException:
        sock.close()
        raise
    return sock


def _secured(connection: Connection, host: str) -> Steps[None]:
    context = connection.key[1]
    assert context is not None
    secure = context.wrap_socket(
        connection.sock, server_hostname=host, do_handshake_on_connect=False
    )
    connection.sock = secure
    while True:
        try:
            return secure.do_handshake()
        except OSError as error:
            mask = _blocked(error, READ)
            if mask is None:
                raise
            yield Socket(secure, mask)
