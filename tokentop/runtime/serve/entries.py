"""`GET /api/system/ledger/entries`: a page of the ledger for a screen that is connected."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tokentop.domain.ledger.listing import MOST, PAGE, Listed, Page, Question, words
from tokentop.sources.collector import LEDGER

AT_ONCE = 2  # pages that are read at the same time; what is more waits
WORDS = 8  # of a filter: each takes 0.2 s over all entries that are searched

Read = Callable[[Question], Awaitable[Page]]


def entries_route(read: Read) -> Route:
    """The route, which asks `read` for a page; where it cannot be read the answer is a 503."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def entries(request: Request) -> Response:
        limit = request.query_params.get("limit", str(PAGE))
        if not (limit.isascii() and limit.isdigit() and 0 < int(limit[:9]) <= MOST):
            return PlainTextResponse(f"limit is 1 to {MOST}\n", 400)
        wanted = request.query_params.get("filter", "")
        if len(words(wanted)) > WORDS:
            return PlainTextResponse(f"a filter has at most {WORDS} words\n", 400)
        before = request.query_params.get("before") or None
        question = Question(wanted, before, int(limit))
        async with turn:
            page = await read(question)
        headers = {"cache-control": "no-store"}
        if page.problem is not None:
            return PlainTextResponse(page.problem + "\n", 503, {"retry-after": "5", **headers})
        body = await asyncio.to_thread(encoded, page)
        return Response(body, headers=headers, media_type="application/json")

    return Route(LEDGER, entries)


def encoded(page: Page) -> bytes:
    """The page as JSON; what is unknown of an entry is left out."""
    rows = [_row(row) for row in page.rows]
    document = {"filter": page.wanted, "total": page.total, "beyond": page.beyond, "entries": rows}
    return json.dumps(document, ensure_ascii=False).encode()


def _row(row: Listed) -> dict[str, object]:
    """An entry's fields, with names beside the ids of people, and the rows of its valuation."""
    values = {name: each for name, each in row.entry._asdict().items() if each is not None}
    names = {"user": row.user, "end_user": row.end_user}
    values |= {name: each for name, each in names.items() if each is not None}
    return {**values, "inputs": [each._asdict() for each in row.valuation]}
