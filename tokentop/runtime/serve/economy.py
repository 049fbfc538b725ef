"""/v1/value: business value reported; /v1/flags: flagged tasks, and verdicts on them."""

import asyncio
import json
from collections.abc import Callable, Mapping
from time import time_ns

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from tokentop.config.schema import Config
from tokentop.light_typing import Any
from tokentop.runtime.ledger import exchange
from tokentop.runtime.ledger.deciding import NO_LEDGER
from tokentop.runtime.ledger.follower import Follower
from tokentop.runtime.serve.body import Bodies, BodyError, Receiving, unpacked
from tokentop.transport.ledger.database import LedgerError

VALUE, FLAGS = "/v1/value", "/v1/flags"
MAX_VALUE = 64 * 1024  # bytes of one report
_FORM = 'write {"project": "alpha", "value": 120, "unit": "usd", "id": "invoice-7"}'


class Economy:
    """Books what is reported and decided. `follower` is None where there is no ledger."""

    def __init__(
        self,
        follower: Callable[[], Follower | None],
        config: Callable[[], Config],
        environ: Mapping[str, str],
    ) -> None:
        self._follower = follower
        self._config = config
        self._environ = environ
        self._bodies = Bodies()

    def routes(self) -> list[BaseRoute]:
        return [
            Receiving(VALUE, self._value),
            Route(FLAGS, self._flags),
            Route(f"{FLAGS}/{{flag}}/{{verdict}}", self._classify, methods=["POST"]),
        ]

    async def _value(self, request: Request) -> Response:
        """201 for what is on the disk now, 200 for an id that was reported before."""
        try:
            given = await self._given(request)
        except BodyError as error:
            return _text(str(error), error.status, error.headers)
        return await self._answered(lambda: self._report(given))

    async def _given(self, request: Request) -> Mapping[str, Any]:
        """A report's project, value, unit and id; raises BodyError."""
        with self._bodies.room() as body:
            await self._bodies.read(request, body)
            if len(body) > MAX_VALUE:
                raise BodyError(413, "a report of value is shorter than 64 KiB")
            encoding = request.headers.get("content-encoding", "").strip().lower()
            return _report_in(unpacked(body, encoding, MAX_VALUE))

    def _report(self, given: Mapping[str, Any]) -> Response:
        booked = exchange.report_value(
            self._config(), self._environ, given.get("project", ""), given["value"],
            given.get("unit"), time_ns() // 1000, given.get("id"),
        )  # fmt: skip
        return JSONResponse({"booked": booked is not None}, 200 if booked is None else 201)

    async def _flags(self, _: Request) -> Response:
        follower = self._follower()
        found = None if follower is None else follower.figures(time_ns() / 1e9)
        if found is None:
            return _text(NO_LEDGER, 404)
        rows = [flag._asdict() for flag in found.flags]
        return JSONResponse({"to_classify": found.to_classify, "flags": rows})

    async def _classify(self, request: Request) -> Response:
        flag, verdict = request.path_params["flag"], request.path_params["verdict"]
        return await self._answered(lambda: self._decide(flag, verdict))

    def _decide(self, flag: str, verdict: str) -> Response:
        now_us = time_ns() // 1000
        _, left = exchange.classify(self._config(), self._environ, flag, verdict, now_us)
        return JSONResponse({"flag": flag, "classified": verdict, "to_classify": left})

    async def _answered(self, act: Callable[[], Response]) -> Response:
        """What `act`, on a thread of its own, answers; the ledger is then looked at again."""
        follower = self._follower()
        if follower is None:
            return _text(NO_LEDGER, 404)
        try:
            answer = await asyncio.to_thread(act)
        except exchange.Refused as error:
            return _text(str(error), 400)
        except LedgerError as error:
            return _text(str(error), 503, {"retry-after": "5"})
        follower.look()
        return answer


def _report_in(body: bytes) -> Mapping[str, Any]:
    """The object in a body whose project, unit and id are text or missing; raises BodyError."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or "value" not in given:
        raise BodyError(400, _FORM)
    if not all(isinstance(given.get(name, ""), str) for name in ("project", "unit", "id")):
        raise BodyError(400, _FORM)
    return given


def _text(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers)
