"""One HTTP/1.1 connection of uvicorn's, with the limits that it lacks."""

import asyncio
from functools import partial

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tokentop.runtime.serve.guard import asks

HEADERS_S = 10.0  # for a whole request to arrive, also the first of a connection
STALL_S = 60.0  # for a client to read what was written
KEEP_ALIVE_S = 30  # between two requests: longer than Prometheus scrapes need
WRITE_BUFFER = 16 * 1024  # ours, a client, beside the kernel's
AT_ONCE = 4 * 1024  # bytes read before other clients get their turn: chunks of one byte take 4 ms
MAX_CONNECTIONS = 1280
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class Connection(H11Protocol):
    """Bounds the number of clients, the time for a request, and the time to read an answer."""

    limit = MAX_CONNECTIONS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse a client beyond the limit; else wait for its request, but not for ever."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        transport.max_size = AT_ONCE  # type: ignore[attr-defined]  # of asyncio's own transport
        self._timers: dict[str, asyncio.TimerHandle] = {}
        if len(self.connections) > self.limit:
            transport.write(_BUSY)
            self._close(transport)
        else:
            self._start("request", HEADERS_S)

    def data_received(self, data: bytes) -> None:
        """Read on; a request that has begun must be whole in time."""
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            return  # it is a WebSocket's from now on
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop("request")
        elif "request" not in self._timers:
            self._start("request", HEADERS_S)

    def _should_upgrade(self) -> bool:
        """A gateway's question has its client's headers, also of one that wants a WebSocket."""
        return not asks(self.scope["path"]) and super()._should_upgrade()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over; from now on pings find out whether the browser is there."""
        self._stop("request")
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Uvicorn waits for the next request from now on, KEEP_ALIVE_S seconds."""
        self._stop("request")
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close; what was never read is thrown away after a while."""
        super().timeout_keep_alive_handler()
        self._start("read", STALL_S)

    def shutdown(self) -> None:
        """Close at once where nothing is being answered."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:  # after what was no HTTP
            self.transport.close()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is sent to."""
        super().pause_writing()
        self._start("read", STALL_S)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop("read")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _close(self, transport: asyncio.Transport) -> None:
        transport.close()
        self._start("read", STALL_S)

    def _start(self, name: str, seconds: float) -> None:
        self._stop(name)
        self._timers[name] = self.loop.call_later(seconds, partial(self.transport.abort))

    def _stop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
