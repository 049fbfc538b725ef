"""One HTTP/1.1 server on a free loopback port, whose answer is a function that may misbehave.

with Server(ok({"a": 1})) as server:      # behaviours: tests/servers/behaviours.py
    fetch(Request(server.url + "/x"))
    assert server.asked[0].path == "/x"
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import NamedTuple, Self


class Asked(NamedTuple):
    """One request as it came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    method: str = "GET"


class Connection:
    """What a behaviour is given: the socket, the request, and the server's end to wait for."""

    def __init__(self, server: "Server", sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.asked = Asked("", {})

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def pause(self, seconds: float | None = None) -> None:
        """Wait so long, or until the server closes."""
        if self.server.closing.wait(seconds):
            raise ConnectionAbortedError

    def request(self) -> bool:
        """Read the next request into `asked`; False where the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.sock.recv(65536)
            if not more:
                return False
            data += more
            if data.startswith(b"\x16"):  # a TLS handshake at a plain port
                self.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return False
        first, *lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        method, path, _ = first.split(" ")
        self.asked = Asked(path, headers, method)
        return True


Behaviour = Callable[[Connection], bool]
"""Answers one request; True keeps the connection for the next one."""


class Server:
    """Listens from construction to `close()`; `answer` may be exchanged at any time.

    `asked` lists the requests, `connections` counts accepted connections, and `arrived` is
    released once for each request read, so that a test can wait for one without a clock.
    """

    def __init__(
        self,
        answer: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        self.arrived = threading.Semaphore(0)
        self.closing = threading.Event()
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=64)
        self.port: int = self._listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http{'s' if tls else ''}://{shown}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop every connection; anything that waits wakes up."""
        self.closing.set()
        _drop(self._listener)
        self.drop_connections()

    def drop_connections(self) -> None:
        """Close every open connection, as a service does that restarts."""
        with self._lock:
            for sock in self._open:
                _drop(sock, keep=True)  # its own thread closes it

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(sock)
        stream = sock
        try:
            if self._tls is not None:
                stream = self._tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=True)
                with self._lock:
                    self._open.add(stream)
            self._converse(Connection(self, stream))
        except OSError:
            pass  # the client went away, which is its right
        finally:
            with self._lock:
                self._open -= {sock, stream}
            stream.close()

    def _converse(self, connection: Connection) -> None:
        while connection.request():
            self.asked.append(connection.asked)
            self.arrived.release()
            if not self.answer(connection):
                return


def _drop(sock: socket.socket, *, keep: bool = False) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    if not keep:
        sock.close()
