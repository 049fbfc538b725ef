"""Usage over HTTP: OpenTelemetry, LiteLLM's callback and CloudEvents, booked and then answered."""

import asyncio
from collections.abc import Awaitable, Callable
from time import time_ns

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from tokentop.config.schema import Config
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.snapshot import Snapshot
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.ledger.intake import Intake, QueueFull
from tokentop.runtime.serve.body import Bodies, BodyError, Receiving, unpacked
from tokentop.runtime.serve.guard import UNTRUSTED
from tokentop.sources.usage import bodies
from tokentop.sources.usage.allowance import TooLarge
from tokentop.sources.usage.attribution import Names
from tokentop.sources.usage.bodies import Read
from tokentop.sources.usage.fields import Unreadable
from tokentop.sources.usage.otlp import requests as otlp
from tokentop.transport.ledger.database import LedgerError

FULL_RETRY_S = "1"
AWAY_RETRY_S = "5"
CLOSED = "no usage is taken here; set intake = true in [ledger] of its configuration"
AT_ONCE = 1  # bodies that are being parsed; each may take some 200 MB
_PROTOBUF = "application/x-protobuf"

Follow = Callable[[Config, Snapshot], object]  # each snapshot, with the configuration of its time
Measured = Callable[[tuple[UsageEvent, ...]], tuple[UsageEvent, ...]]  # with their GPU time
Parse = Callable[[bytes, Names, int], Read]  # the body, the mapping, now in Unix microseconds


class _Feed(NamedTuple):
    """One address: what its body means, the answer to it, and the answer where it is refused."""

    path: str
    parse: Parse
    answer: Callable[[Read, bool], Response]
    refusal: Callable[[str, bool], tuple[bytes, str]]


class UsageRoutes:
    """The routes that book what they receive. Each answers 2xx only for what is on the disk."""

    def __init__(
        self, intake: Intake, names: Names, follow: Follow = lambda *_: None,
        measured: Measured = tuple,
    ) -> None:  # fmt: skip
        self.follow = follow
        self._measured = measured
        self.subscribe, self.stop = intake.subscribe, intake.stop
        self._intake = intake
        self._names = names
        self._bodies = Bodies()
        self._parsing = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[BaseRoute]:
        return [Receiving(feed.path, self._handler(feed)) for feed in _FEEDS]

    def _handler(self, feed: _Feed) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            as_json = _is_json(request)
            try:
                return feed.answer(await self._book(request, feed.parse), as_json)
            except BodyError as error:
                return _refused(feed, as_json, error.status, str(error), error.headers)
            except TooLarge as error:
                return _refused(feed, as_json, 413, str(error))
            except Unreadable as error:
                return _refused(feed, as_json, 400, str(error))
            except QueueFull:
                wait = {"retry-after": FULL_RETRY_S}
                text = "more usage arrives than the ledger can book; send it again"
                return _refused(feed, as_json, 429, text, wait)
            except LedgerError as error:
                wait = {"retry-after": AWAY_RETRY_S}
                return _refused(feed, as_json, 503, str(error), wait)

        return handle

    async def _book(self, request: Request, parse: Parse) -> Read:
        """Read, parse and book a body; on return its events are on the disk."""
        encoding = request.headers.get("content-encoding", "").strip().lower()
        with self._bodies.room() as body:
            await self._bodies.read(request, body)
            async with self._parsing:
                read = await asyncio.to_thread(self._parsed, body, encoding, parse)
        if request.scope.get(UNTRUSTED):
            claims = tuple(event._replace(authenticated=()) for event in read.events)
            read = read._replace(events=claims)
        if read.events:
            await asyncio.wrap_future(self._intake.book(read.events))
        return read

    def _parsed(self, body: bytearray, encoding: str, parse: Parse) -> Read:
        read = parse(unpacked(body, encoding), self._names, time_ns() // 1000)
        return read._replace(events=self._measured(read.events))


def closed_routes() -> list[BaseRoute]:
    """The same addresses without a ledger behind them: 404, after which a plugin's spool waits."""
    return [Receiving(feed.path, _closed(feed)) for feed in _FEEDS]


def _closed(feed: _Feed) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return _refused(feed, _is_json(request), 404, CLOSED, {"connection": "close"})

    return handle


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() != _PROTOBUF


def _refused(
    feed: _Feed, as_json: bool, status: int, text: str, headers: dict[str, str] | None = None
) -> Response:
    body, media_type = feed.refusal(text, as_json)
    return Response(body, status, headers, media_type)


def _counts(read: Read, _: bool) -> Response:
    """How many records of LiteLLM's were taken; it ignores all but the status."""
    found = {"booked": len(read.events), "refused": read.refused, "reason": read.reason}
    return JSONResponse(found, 200 if read.events or not read.refused else 400)


def _accepted(_: Read, __: bool) -> Response:
    """As OpenMeter answers. A batch is booked whole or not at all: see _whole."""
    return Response(status_code=204)


def _whole(body: bytes, names: Names, now_us: int) -> Read:
    """CloudEvents have no answer for a part of a batch; raises Unreadable for one bad event."""
    read = bodies.cloud_events(body, names, now_us)
    if read.reason is not None:
        raise Unreadable(f"{read.refused} of the events cannot be booked: {read.reason}")
    return read


def _sentence(text: str, _: bool) -> tuple[bytes, str]:
    return f"{text}\n".encode(), "text/plain"


def _otlp(signal: otlp.Signal) -> _Feed:
    def answer(read: Read, as_json: bool) -> Response:
        media_type = "application/json" if as_json else _PROTOBUF
        return Response(otlp.answer(signal, read, as_json), media_type=media_type)

    def refusal(text: str, as_json: bool) -> tuple[bytes, str]:
        return otlp.status(text, as_json), "application/json" if as_json else _PROTOBUF

    def parse(body: bytes, names: Names, now_us: int) -> Read:
        return otlp.read(signal, body, names, now_us)

    return _Feed(f"/v1/{signal}", parse, answer, refusal)


_FEEDS = (
    *map(_otlp, otlp.SIGNALS),
    _Feed("/v1/litellm", bodies.litellm_rows, _counts, _sentence),
    _Feed("/api/v1/events", _whole, _accepted, _sentence),
)
PATHS = frozenset(feed.path for feed in _FEEDS)
