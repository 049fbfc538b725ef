"""The simulated network: every dial gives a socket that already holds the answer."""

import socket
from collections.abc import Callable

from tokentop.demo.answers import answer
from tokentop.demo.stack import simulate
from tokentop.transport.http.messages import Request, target_of

_REASONS = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class _Answered(socket.socket):
    """One end of a pair; it holds the other end open, so that the request can be sent."""

    __slots__ = ("far",)

    far: socket.socket

    def close(self) -> None:
        self.far.close()
        super().close()


def dialler(clock: Callable[[], float], seed: int = 0) -> Callable[[Request, float], socket.socket]:
    """A `Dial`; it raises ConnectionRefusedError where nobody listens."""

    def dial(request: Request, timeout_s: float) -> socket.socket:  # noqa: ARG001  # a Dial
        said = answer(target_of(request).path, simulate(clock(), seed))
        if said is None:
            raise ConnectionRefusedError
        return _holding(_http(said.status, said.body))

    return dial


def _http(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def _holding(data: bytes) -> socket.socket:
    """A socket from which `data` can be read; it must fit the kernel's buffer (here: 2-3 kB)."""
    near, far = socket.socketpair()
    far.setblocking(False)
    far.sendall(data)
    held = _Answered(fileno=near.detach())
    held.far = far
    return held
