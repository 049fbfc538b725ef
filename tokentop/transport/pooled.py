"""GETs over kept-alive connections: the transport of the full screen.

httpcore, the engine of httpx, is driven here without httpx's client and pool: for fifteen small
questions a poll those took most of the whole screen's CPU time. The environment's proxies are not
used, for what is asked here is on this host or in its own network, and a proxy would see the
tokens. Cookies are not kept either: every poll is the same.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from tokentop.domain.readings import Failure
from tokentop.transport.failures import Stopped, failure_for_exception, timed_out
from tokentop.transport.http import (
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

    import httpcore
    import httpx

_KEEP_ALIVE_S = 90.0
_CLOSE_S = 0.2


class Answer(NamedTuple):
    """The beginning of an answer; `body` is read once, `close` is called in any case."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


class Pool:
    """Connections of one event loop; `transport` (demo, tests) stands in for the network."""

    def __init__(self, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        # httpcore looks for this optional module with every lock: a third of a request's CPU time.
        sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
        from tokentop.transport.network import Backend  # paid here, not before the first paint

        self._given = transport
        self._backend = Backend()
        self._idle: dict[tuple[str, SSLContext | None], list[httpcore.AsyncHTTPConnection]] = {}

    async def fetch(self, request: Request) -> Reply | Failure:
        """One GET with its redirects, within `request.timeout_s`; raises only CancelledError."""
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._follow(request, monotonic())
        except Stopped as stopped:
            return stopped.failure
        except TimeoutError:
            return timed_out(request.url, request.timeout_s)
        except Exception as error:  # noqa: BLE001  # httpcore, anyio and h11 raise what they like
            return _failure(error, request)

    async def aclose(self) -> None:
        """Close what is open, within 0.2 s; a lookup that hangs is left to its daemon thread."""
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                for closable in (*idle, *((self._given,) if self._given else ())):
                    await closable.aclose()

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
        answer = await self._ask(request)
        try:
            head = _head(answer, request)
            if head.status in REDIRECTS and "location" in head.headers:
                return head.headers["location"]
            failure = refusal(head, request)
            if failure is not None:
                return failure
            return head.reply(await _body(answer, request), monotonic() - started)
        finally:
            await answer.close()

    async def _ask(self, request: Request) -> Answer:
        """The answer's beginning; a kept connection that turns out dead is replaced once."""
        import httpcore

        try:
            if self._given is not None:
                return await _stand_in(self._given, request)
            kept = self._kept(request)
            while kept:
                connection = kept.pop()
                if connection.has_expired():
                    await connection.aclose()
                    continue
                with suppress(httpcore.NetworkError, httpcore.RemoteProtocolError):
                    return await _asked(connection, request, kept)
                break
            return await _asked(self._opened(request), request, kept)
        except (httpcore.ReadError, httpcore.WriteError):
            raise Stopped(no_answer(request)) from None

    def _kept(self, request: Request) -> "list[httpcore.AsyncHTTPConnection]":
        """The idle connections that may carry this request, latest last."""
        return self._idle.setdefault((target_of(request).origin, _context(request)), [])

    def _opened(self, request: Request) -> "httpcore.AsyncHTTPConnection":
        import httpcore

        return httpcore.AsyncHTTPConnection(
            _address(request).origin,
            ssl_context=_context(request),
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=self._backend,
        )


def _context(request: Request) -> "SSLContext | None":
    """None for plain http, which loads no CA bundle: that costs memory."""
    if target_of(request).scheme != "https":
        return None
    from tokentop.transport.tls import context_for

    return context_for(request.ca_bundle, request.verify)


def _address(request: Request) -> "httpcore.URL":
    import httpcore

    target = target_of(request)
    return httpcore.URL(
        scheme=target.scheme, host=target.host, port=target.port, target=target.path
    )


async def _asked(
    connection: "httpcore.AsyncHTTPConnection",
    request: Request,
    kept: "list[httpcore.AsyncHTTPConnection]",
) -> Answer:
    """Ask over a connection, which goes back to `kept` if it is any good afterwards."""
    import httpcore

    question = httpcore.Request(
        "GET",
        _address(request),
        headers=headers_for(request, target_of(request)),
        extensions={"timeout": {"connect": request.timeout_s}},
    )
    response = await connection.handle_async_request(question)

    async def close() -> None:
        await response.aclose()
        if connection.is_idle():
            kept.append(connection)

    return Answer(response.status, response.headers, response.aiter_stream(), close)


async def _stand_in(transport: "httpx.AsyncBaseTransport", request: Request) -> Answer:
    """Ask a transport of httpx's; its errors become those of httpcore, which have their names."""
    import httpcore
    import httpx

    target = target_of(request)
    question = httpx.Request(
        "GET", target.origin + target.path, headers=headers_for(request, target)
    )
    try:
        response = await transport.handle_async_request(question)
    except httpx.TransportError as error:
        kind = getattr(httpcore, type(error).__name__, httpcore.NetworkError)
        raise kind(str(error)) from error.__cause__
    return Answer(
        response.status_code, response.headers.raw, response.aiter_bytes(), response.aclose
    )


def _head(answer: Answer, request: Request) -> AnswerHead:
    raw = list(answer.headers)
    size = sum(len(name) + len(value) + 4 for name, value in raw)
    if len(raw) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Stopped(headers_too_large(request))
    return AnswerHead(answer.status, header_table(raw))


async def _body(answer: Answer, request: Request) -> bytes:
    body = bytearray()
    async for part in answer.body:  # raw: what is encoded was refused
        body += part
        if len(body) > request.max_bytes:
            raise Stopped(too_large(request))
    return bytes(body)


def _failure(error: Exception, request: Request) -> Failure:
    import httpcore

    if isinstance(error, httpcore.TimeoutException):
        return timed_out(request.url, request.timeout_s)
    if isinstance(error, httpcore.ProtocolError):
        return _for_protocol(str(error), request)
    if isinstance(error, httpcore.ConnectError) and error.__cause__ is None:
        error = ConnectionRefusedError()  # a stand-in transport says no more than that
    return failure_for_exception(error, request.url, request.timeout_s)


def _for_protocol(text: str, request: Request) -> Failure:
    """h11 and httpcore tell these apart by their words only; the contract tests watch them."""
    if text.startswith("Server disconnected"):
        return no_answer(request)
    if text.startswith("peer closed connection"):
        return failure_for_exception(ConnectionResetError(), request.url, request.timeout_s)
    if "too long" in text:
        return headers_too_large(request)
    return not_http(request)
