"""Sockets that listen for `tokentop serve`."""

import socket

Listener = socket.socket
BACKLOG = 32  # accepted at once, so many descriptors beyond the clients'
SEND_BUFFER = 64 * 1024  # of the kernel, a client: what a client that does not read can hold up
UNACKNOWLEDGED_MS = 30_000  # after which a client that has vanished from the network is given up


def listen(host: str, port: int) -> list[Listener]:
    """Listen on every address of `host`, all at the same port; 0 takes a free one.

    Raises OSError (`strerror` says why) where an address or the port cannot be had.
    """
    flags = socket.AI_PASSIVE | socket.AI_ADDRCONFIG
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror:  # 127.0.0.1 and ::1 where no network is up
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    opened: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            place = (address[0], port, *address[2:])
            opened.append(_bound(family, place))
            port = opened[-1].getsockname()[1]
    except OSError:
        for one in opened:
            one.close()
        raise
    return opened


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one
