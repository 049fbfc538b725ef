"""A connection opened, as steps between waits: addresses, sockets, the TLS handshake."""

import _socket as socket  # see steps.py
import errno
from time import monotonic

from tokentop.domain.urls import Target
from tokentop.light_typing import Any
from tokentop.transport.http.connections import Connection, Key
from tokentop.transport.http.failures import RequestFailed, our_limit
from tokentop.transport.http.messages import Request
from tokentop.transport.http.resolver import Address, at_port, literal
from tokentop.transport.http.steps import READ, WRITE, Lookup, Net, Place, Socket, Steps

ATTEMPTS = 3  # to get a descriptor
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


def connect(request: Request, target: Target, key: Key, net: Net) -> Steps[Connection]:
    """A connection that is ready for HTTP; raises what sockets and ssl raise, RequestFailed."""
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
        connection.sock,  # type: ignore[arg-type]  # only its descriptor is taken over
        server_hostname=host,
        do_handshake_on_connect=False,
    )
    connection.sock = secure
    while True:
        try:
            return secure.do_handshake()
        except OSError as error:
            mask = wait_for(error, READ)
            if mask is None:
                raise
            yield Socket(secure, mask)


def key_of(request: Request, target: Target) -> Key:
    """Under what a connection may be used again: the origin, and how TLS is verified."""
    if target.scheme != "https":
        return target.origin, None
    from tokentop.transport.http.tls import context_for

    return target.origin, context_for(request.ca_bundle, request.verify)


def wait_for(error: OSError, plain: int) -> int | None:
    """What to wait for before trying again; None where the error is one.

    TLS errors are known by name, so that ssl need not be imported.
    """
    if isinstance(error, BlockingIOError):
        return plain
    return {"SSLWantReadError": READ, "SSLWantWriteError": WRITE}.get(type(error).__name__)
