"""GETs over kept-alive httpx connections: the transport of the full screen.

The environment's proxies are not used, for what is asked here is on this host or in its own
network, and a proxy would see the tokens. Cookies are not stored either: every poll is the same.
"""

import asyncio
import sys
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from tokentop.domain.readings import Failure
from tokentop.domain.urls import Target
from tokentop.transport.http.failures import RequestFailed, failure_for_exception, timed_out
from tokentop.transport.http.messages import (
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    REDIRECTS,
    AnswerHead,
    Reply,
    Request,
    header_table,
    headers_for,
    headers_too_large,
    next_hop,
    no_answer,
    not_http,
    refusal,
    target_of,
    too_large,
)

if TYPE_CHECKING:
    from ssl import SSLContext

    import httpx

    from tokentop.transport.http.network import Backend

_KEEP_ALIVE_S = 90.0
_CLOSE_S = 0.2
_PREPARED = 1024


class Pool:
    """Connections of one event loop; `transport` (demo, tests) stands in for the network."""

    def __init__(self, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        # httpx imports its own command line where click is installed: 7 MB and 50 ms for nothing.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        import httpx  # 98 ms, paid here rather than before the first paint

        from tokentop.transport.http.network import Backend

        self._given = transport
        self._backend = Backend()
        # One small pool an origin: httpcore looks at every connection of a pool for every request.
        self._transports: dict[tuple[str, SSLContext], httpx.AsyncBaseTransport] = {}
        # Taken out while in use, so that two of the same never share one.
        self._prepared: dict[Request, tuple[httpx.Request, Target]] = {}

    async def fetch(self, request: Request) -> Reply | Failure:
        """One GET with its redirects, within `request.timeout_s`; raises only CancelledError."""
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._follow(request, monotonic())
        except RequestFailed as failed:
            return failed.failure
        except TimeoutError:
            return timed_out(request.url, request.timeout_s)
        except Exception as error:  # noqa: BLE001  # httpx, anyio and h11 raise what they like
            return _failure(error, request)

    async def aclose(self) -> None:
        """Close what is open, within 0.2 s; a lookup that hangs is left to its daemon thread."""
        given = () if self._given is None else (self._given,)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                for transport in (*given, *self._transports.values()):
                    await transport.aclose()
        self._transports.clear()
        self._prepared.clear()

    async def _follow(self, request: Request, started: float) -> Reply | Failure:
        hops = 0
        while True:
            answer = await self._exchange(request, started)
            if not isinstance(answer, str):
                return answer
            hops += 1
            step = next_hop(request, answer, hops)
            if isinstance(step, Failure):
                return step
            request = step

    async def _exchange(self, request: Request, started: float) -> Reply | Failure | str:
        """One request and its answer, or the Location it redirects to."""
        response = await self._send(request)
        try:
            answer = _head(response, request)
            if answer.status in REDIRECTS and "location" in answer.headers:
                return answer.headers["location"]
            failure = refusal(answer, request)
            if failure is not None:
                return failure
            return answer.reply(await _body(response, request), monotonic() - started)
        finally:
            await response.aclose()

    async def _send(self, request: Request) -> "httpx.Response":
        """The answer's beginning; a pooled connection that turns out dead is replaced once."""
        import httpx

        prepared = self._prepared.pop(request, None)
        question, target = prepared if prepared is not None else _question(request)
        transport = self._transport_for(request, target)
        reused = self._given is None
        try:
            while True:
                opened = _Opened()
                question.extensions = {
                    "timeout": {"connect": request.timeout_s},
                    "trace": opened.trace,
                }
                try:
                    answer = await transport.handle_async_request(question)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    if opened.happened or not reused:
                        raise
                    reused = False
                else:
                    if len(self._prepared) < _PREPARED:
                        self._prepared[request] = question, target
                    return answer
        except (httpx.ReadError, httpx.WriteError):
            raise RequestFailed(no_answer(request)) from None

    def _transport_for(self, request: Request, target: Target) -> "httpx.AsyncBaseTransport":
        from tokentop.transport.http.tls import context_for

        if self._given is not None:
            return self._given
        if target.scheme == "https":
            context = context_for(request.ca_bundle, request.verify)
        else:
            context = context_for(None, verify=False)  # loads no CA bundle: that costs memory
        key = (target.origin, context)
        if key not in self._transports:
            self._transports[key] = _opened(context, self._backend)
        return self._transports[key]


def _opened(context: "SSLContext", backend: "Backend") -> "httpx.AsyncBaseTransport":
    import httpcore
    import httpx

    # httpcore looks for this optional module with every lock: a third of a request's CPU time.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    # httpx has no public place for a network backend; the pool it made is as yet unused.
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=context,
        max_connections=None,
        keepalive_expiry=_KEEP_ALIVE_S,
        network_backend=backend,
    )
    return transport


class _Opened:
    """Notes whether a connection had to be opened: the pool had none."""

    __slots__ = ("happened",)

    def __init__(self) -> None:
        self.happened = False

    async def trace(self, event: str, _info: object) -> None:
        if event == "connection.connect_tcp.started":
            self.happened = True


def _question(request: Request) -> "tuple[httpx.Request, Target]":
    """The httpx request; the same at every poll, so it is reused: a quarter of a poll's CPU."""
    import httpx

    target = target_of(request)
    headers = headers_for(request, target)
    return httpx.Request("GET", target.origin + target.path, headers=headers), target


def _head(response: "httpx.Response", request: Request) -> AnswerHead:
    raw = response.headers.raw
    size = sum(len(name) + len(value) + 4 for name, value in raw)
    if len(raw) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise RequestFailed(headers_too_large(request))
    return AnswerHead(response.status_code, header_table(raw))


async def _body(response: "httpx.Response", request: Request) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():  # raw: what is encoded was refused
        body += part
        if len(body) > request.max_bytes:
            raise RequestFailed(too_large(request))
    return bytes(body)


def _failure(error: Exception, request: Request) -> Failure:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return timed_out(request.url, request.timeout_s)
    if isinstance(error, httpx.ProtocolError):
        return _for_protocol(str(error), request)
    if isinstance(error, httpx.ConnectError) and error.__cause__ is None:
        error = ConnectionRefusedError()  # a stand-in transport gives no cause
    return failure_for_exception(error, request.url, request.timeout_s)


def _for_protocol(text: str, request: Request) -> Failure:
    """h11 and httpcore distinguish these by their words only; the contract tests watch them."""
    if text.startswith("Server disconnected"):
        return no_answer(request)
    if text.startswith("peer closed connection"):
        return failure_for_exception(ConnectionResetError(), request.url, request.timeout_s)
    if "too long" in text:
        return headers_too_large(request)
    return not_http(request)
