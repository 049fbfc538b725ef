"""GETs on raw blocking sockets, one daemon thread each: the transport of the one-shot views.

Own code because importing http.client alone costs 27 ms of the one-line view's 95.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from tokentop.domain.readings import Failure
from tokentop.transport.http.failures import RequestFailed, failure_for_exception, timed_out
from tokentop.transport.http.http1 import Http1Connection, remaining
from tokentop.transport.http.messages import (
    REDIRECTS,
    Reply,
    Request,
    head,
    next_hop,
    refusal,
    target_of,
)

Dial = Callable[[Request, float], socket.socket]
"""Gives a connected socket, ready for HTTP, within so many seconds; TLS would be its own affair."""

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""One row of socket.getaddrinfo."""


def fetch(request: Request, *, dial: Dial | None = None) -> Reply | Failure:
    """One GET with its redirects, within `request.timeout_s`; never raises.

    Resolving a host name cannot be interrupted, so that alone may take longer; `fetch_all` does
    not wait for it.
    """
    started = monotonic()
    deadline = started + request.timeout_s
    try:
        return _follow(request, started, deadline, dial or _dial)
    except RequestFailed as failed:
        return failed.failure
    except (OSError, ValueError) as error:
        return failure_for_exception(error, request.url, request.timeout_s)


def fetch_all(
    requests: Sequence[Request], deadline_s: float, *, dial: Dial | None = None
) -> list[Reply | Failure]:
    """Every answer in order, after at most `deadline_s`; what came too late is a timeout."""
    answers: list[Reply | Failure | None] = [None] * len(requests)
    done = threading.Semaphore(0)

    def work(place: int, request: Request) -> None:
        try:
            answers[place] = fetch(request, dial=dial)
        finally:
            done.release()

    deadline = monotonic() + deadline_s
    for place, request in enumerate(requests):
        threading.Thread(target=work, args=(place, request), daemon=True).start()
    for _ in requests:
        if not done.acquire(timeout=max(0.0, deadline - monotonic())):
            break
    return [
        answer or timed_out(request.url, min(request.timeout_s, deadline_s))
        for answer, request in zip(answers, requests, strict=True)
    ]


def _follow(request: Request, started: float, deadline: float, dial: Dial) -> Reply | Failure:
    hops = 0
    while True:
        answer = _exchange(request, started, deadline, dial)
        if not isinstance(answer, str):
            return answer
        hops += 1
        step = next_hop(request, answer, hops)
        if isinstance(step, Failure):
            return step
        request = step


def _exchange(
    request: Request, started: float, deadline: float, dial: Dial
) -> Reply | Failure | str:
    """One request and its answer, or the Location it redirects to."""
    target = target_of(request)
    data = head(request, target)
    sock = dial(request, remaining(deadline))
    try:
        connection = Http1Connection(sock, request, deadline)
        connection.send(data)
        answer = connection.head()
        if answer.status in REDIRECTS and "location" in answer.headers:
            return answer.headers["location"]
        failure = refusal(answer, request)
        if failure is not None:
            return failure
        body = connection.body(answer)
        return answer.reply(body, monotonic() - started)
    finally:
        sock.close()


def _dial(request: Request, timeout_s: float) -> socket.socket:
    deadline = monotonic() + timeout_s
    target = target_of(request)
    context = None
    if target.scheme == "https":
        from tokentop.transport.http.tls import context_for

        context = context_for(request.ca_bundle, request.verify)
    host = target.host.encode("ascii")  # a str would load the idna codec at start-up
    addresses = socket.getaddrinfo(host, target.port, type=socket.SOCK_STREAM)
    sock = connected(addresses, deadline)
    if context is None:
        return sock
    try:
        sock.settimeout(remaining(deadline))
        return context.wrap_socket(sock, server_hostname=target.host)
    except BaseException:
        sock.close()
        raise


def connected(addresses: Sequence[AddressInfo], deadline: float) -> socket.socket:
    """A socket to the first address that takes it; none may use up the others' time."""
    error: OSError = ConnectionRefusedError()
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(remaining(deadline) / (len(addresses) - place))
            sock.connect(address)
        except OSError as failed:
            sock.close()
            error = failed
        else:
            return sock
    raise error
