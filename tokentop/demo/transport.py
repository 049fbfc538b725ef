"""The simulated network: every dial gives a socket that already holds the answer."""

import socket
from collections.abc import Callable

from tokentop.demo.answers import Answer
from tokentop.demo.world import World
from tokentop.transport.http.messages import Request, target_of

_REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class _Answered(socket.socket):
    """One end of a pair; it holds the other end open, so that the request can be sent."""

    __slots__ = ("far",)

    far: socket.socket

    def close(self) -> None:
        self.far.close()
        super().close()


def dialler(world: World, clock: Callable[[], float]) -> Callable[[Request, float], socket.socket]:
    """A `Dial`; it raises ConnectionRefusedError where nothing listens."""

    def dial(request: Request, timeout_s: float) -> socket.socket:  # noqa: ARG001  # a Dial
        given = world.answer(target_of(request), clock())
        if given is None:
            raise ConnectionRefusedError
        return _holding(_http(given))

    return dial


def _http(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + answer.body


def _holding(data: bytes) -> socket.socket:
    """A socket from which `data` can be read; what the kernel has no room for is sent as it is."""
    near, far = socket.socketpair()
    far.setblocking(False)
    sent = far.send(data)
    if sent < len(data):
        _send_on(far, data[sent:])
    held = _Answered(fileno=near.detach())
    held.far = far
    return held


def _send_on(far: socket.socket, rest: bytes) -> None:
    """Send the rest on a thread of its own, until it is read or the reader has gone."""
    from threading import Thread  # only a fleet's answers are so large

    far = far.dup()
    far.setblocking(True)

    def send() -> None:
        with far:
            try:
                far.sendall(rest)
            except OSError:
                return

    Thread(target=send, daemon=True).start()
