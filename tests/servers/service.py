"""The service of `tokentop serve` on a free port, fed with snapshots by the test itself."""

import asyncio
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.serve.app import Documents, Health, application
from tokentop.runtime.serve.guard import Rules
from tokentop.runtime.serve.hub import Formats, Hub
from tokentop.runtime.serve.server import Pages, WebServer, uvicorn_config
from tokentop.transport.http.listen import listen
from tokentop.views.metrics import openmetrics, prometheus

Answer = TypeVar("Answer")
PATIENCE_S = 20.0


class Service:
    """A running service; its hub belongs to the loop of its own thread."""

    def __init__(
        self, snapshot: Snapshot, rules: Rules, formats: Formats, pages: Pages = ()
    ) -> None:
        self.faults: list[str] = []
        self.now = 0.0
        self.hub = Hub(formats)
        self.hub.publish(snapshot, self.now)
        (self._listener,) = listen("127.0.0.1", 0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        health = Health(lambda: self.now, lambda: 4.0)
        documents = Documents(schema="{}", openapi="{}")
        app = application(self.hub, documents, health, rules, self.faults.append, pages)
        self.server = WebServer(uvicorn_config(app, web=bool(pages)), self.hub)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(self.server.serve([self._listener]))
        self._loop.close()

    def call(self, function: Callable[[], Answer]) -> Answer:
        """Call on the service's loop and return what it returns."""

        async def called() -> Answer:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(PATIENCE_S)

    def publish(self, snapshot: Snapshot) -> bool:
        return self.call(lambda: self.hub.publish(snapshot, self.now))

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@contextmanager
def service(
    snapshot: Snapshot | None = None,
    rules: Rules | None = None,
    formats: Formats | None = None,
    pages: Pages = (),
) -> Iterator[Service]:
    """Serve `snapshot`; the server is closed at the end."""
    given = Rules(frozenset({"localhost"})) if rules is None else rules
    made = Formats(dumps, prometheus, openmetrics) if formats is None else formats
    running = Service(Snapshot() if snapshot is None else snapshot, given, made, pages)
    try:
        yield running
    finally:
        running.close()


class Client:
    """A plain connection: what is written and read is the test's own affair."""

    def __init__(self, port: int, buffer: int | None = None) -> None:
        self._socket = socket.socket()
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(("127.0.0.1", port))
        self.received = b""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def get(self, path: str, *headers: str) -> None:
        lines = [f"GET {path} HTTP/1.1", "host: localhost", *headers]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def until(self, wanted: bytes, times: int = 1) -> bytes:
        """Read until `wanted` has come that often; returns all that was received so far."""
        while self.received.count(wanted) < times:
            data = self._socket.recv(65536)
            assert data, f"closed before {wanted!r}: {self.received[-300:]!r}"
            self.received += data
        return self.received

    def answered(self, within_s: float) -> bool:
        """Whether anything has come that was not read, or comes in that time."""
        return bool(select.select([self._socket], [], [], within_s)[0])

    def end(self) -> bytes:
        """Read until the server closes; returns all that was received."""
        try:
            while data := self._socket.recv(65536):
                self.received += data
        except ConnectionResetError:
            pass
        return self.received

    def close(self) -> None:
        self._socket.close()


@contextmanager
def client(port: int, buffer: int | None = None) -> Iterator[Client]:
    one = Client(port, buffer)
    try:
        yield one
    finally:
        one.close()
