"""The past over HTTP: what this host has kept of a stretch, for a screen elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tokentop.domain.past import Past, PastError, Stretch
from tokentop.domain.text import known
from tokentop.sources.collector_past import HISTORY, dumps

AT_ONCE = 2  # stretches that are read; the others wait


def route(past: Callable[[Stretch], Awaitable[Past]]) -> Route:
    """The route; `past` gives a stretch of Unix seconds, in Unix seconds."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def get(request: Request) -> Response:
        stretch = _stretch(request.query_params)
        if stretch is None:
            return JSONResponse({"error": "start and end are Unix seconds, end the later"}, 400)
        async with turns:
            try:
                found = await past(stretch)
            except PastError as error:
                return JSONResponse({"error": str(error)}, 503)
            body = await asyncio.to_thread(dumps, found)
        return Response(body, media_type="application/json")

    return Route(HISTORY, get)


def _stretch(parameters: Mapping[str, str]) -> Stretch | None:
    try:
        start, end = (float(parameters[name]) for name in ("start", "end"))
    except (KeyError, ValueError):
        return None
    return Stretch(start, end) if known(start) and known(end) and start < end else None
