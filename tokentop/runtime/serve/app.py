"""The routes: each answers from the hub's latest publication and asks no source."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tokentop import fault
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.serve.guard import Guard, Rules
from tokentop.runtime.serve.hub import Hub
from tokentop.runtime.serve.negotiation import accepts_gzip, is_current, prefers_openmetrics
from tokentop.runtime.serve.stream import MAX_STREAMS, last_event_id, stream
from tokentop.sources.collector import STREAM, TOKEN_ECONOMY

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
STALLED_AFTER = 3  # intervals without a fold, and no less than STALLED_S
STALLED_S = 15.0


class Documents(NamedTuple):
    """Texts that stay the same while serving."""

    schema: str
    openapi: str


class Health(NamedTuple):
    """How /healthz finds out whether snapshots are still made; times are monotonic seconds."""

    now: Callable[[], float]
    interval_s: Callable[[], float]
    frozen: bool = False


def application(
    hub: Hub,
    documents: Documents,
    health: Health,
    rules: Rules,
    report: Callable[[str], object],
    more: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The API and `more` behind the guard; `report` gets a sentence about each unexpected fault."""
    routes = [
        Route(TOKEN_ECONOMY, _Snapshots(hub).get),
        Route(STREAM, _Streams(hub), methods=["GET"]),
        Route("/metrics", _Snapshots(hub).metrics),
        Route("/healthz", _healthz(hub, health)),
        Route("/openapi.json", _document(documents.openapi, "application/json")),
        Route("/schema.json", _document(documents.schema, "application/schema+json")),
        *more,
    ]
    return _Faults(Guard(Starlette(routes=routes), rules), report)


class _Snapshots:
    """The latest snapshot as an object and as metrics."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def get(self, request: Request) -> Response:
        """The `tokentop/1` object; 304 where the client has it."""
        latest = self._hub.latest
        headers = {"etag": latest.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if is_current(request.headers.get("if-none-match"), latest.etag):
            return Response(status_code=304, headers=headers)
        body = latest.body
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            body = latest.compressed
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        """Prometheus text, or OpenMetrics where that is asked for."""
        latest = self._hub.latest
        headers = {"vary": "accept"}
        if prefers_openmetrics(request.headers.get("accept", "")):
            return Response(latest.openmetrics, headers=headers, media_type=OPENMETRICS)
        return Response(latest.prometheus, headers=headers, media_type=PROMETHEUS)


class _Streams:
    """Server-Sent Events, for a bounded number of clients."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await Response(media_type="text/event-stream")(scope, receive, send)
        elif self._hub.clients >= MAX_STREAMS or self._hub.closed:
            text = "too many streams are open\n"
            await PlainTextResponse(text, 503, {"retry-after": "5"})(scope, receive, send)
        else:
            await stream(self._hub, last_event_id(scope), receive, send)


class _Faults:
    """The outermost layer: a fault costs one answer, and its traceback is shown to nobody."""

    def __init__(self, app: ASGIApp, report: Callable[[str], object]) -> None:
        self._app = app
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:  # the time to drain is over
            pass
        except Exception as error:  # noqa: BLE001  # else uvicorn logs a traceback
            self._report(fault.sentence(error))
            with contextlib.suppress(RuntimeError):  # the answer had begun
                await PlainTextResponse("unexpected fault\n", 500)(scope, receive, send)


def _healthz(hub: Hub, health: Health) -> Callable[[Request], Response]:
    def healthz(_: Request) -> Response:
        age_s = health.now() - hub.published_at
        stalled = age_s > max(STALLED_S, STALLED_AFTER * health.interval_s())
        if stalled and not health.frozen:
            return JSONResponse({"status": "stalled", "age_s": round(age_s, 1)}, 503)
        return JSONResponse({"status": "ok"})

    return healthz


def _document(text: str, media_type: str) -> Callable[[Request], Response]:
    def document(_: Request) -> Response:
        return Response(text, media_type=media_type)

    return document
