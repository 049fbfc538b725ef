"""One GET with its redirects, as steps between waits; whoever runs them waits on the sockets."""

from collections.abc import Callable
from time import monotonic, thread_time

from tokentop.domain.readings import Failure
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.connect import connect, key_of, wait_for
from tokentop.transport.http.connections import Connection
from tokentop.transport.http.failures import (
    RequestFailed,
    failure_for_exception,
    timed_out,
)
from tokentop.transport.http.http1 import Http1Reader
from tokentop.transport.http.messages import Reply, Request, head, next_hop, no_answer, target_of
from tokentop.transport.http.redact import without_secrets
from tokentop.transport.http.steps import READ, WRITE, Net, Permit, Socket, Steps

RECEIVE_BYTES = 64 * 1024

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
    key = key_of(request, target)
    kept = net.idle.take(key, monotonic()) if net.idle is not None else None
    if kept is not None:
        reader = _reader(request, budget, take)
        try:
            return (yield from _converse(kept, data, reader, net, budget))
        except (ConnectionError, RequestFailed):
            if reader.began:
                raise
    connection = yield from connect(request, target, key, net)
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
            mask = wait_for(error, WRITE)
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
            wanted = wait_for(error, READ)
            if wanted is None:
                raise
            mask = wanted
