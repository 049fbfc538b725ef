"""/v1/authorize: whether a gateway may let a request through; /v1/projects: stopping one.

nginx, Caddy, Traefik and Envoy ask before each request. They let it through at exactly 200 and show
their client any other answer, so a refusal is one that clients obey at the first attempt: a 4xx
with `x-should-retry: false`, a sentence, and no Retry-After. A question never waits for the ledger.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from math import ceil
from time import time_ns
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tokentop.config.schema import AuthorizeConfig, Config
from tokentop.domain.budgets.authority import Asker, Refusal
from tokentop.domain.budgets.decision import Outcome
from tokentop.domain.policy import BudgetScope
from tokentop.domain.text import clean_name
from tokentop.light_typing import get_args
from tokentop.runtime.ledger.deciding import NO_LEDGER, NO_NAME
from tokentop.runtime.ledger.follower import Follower
from tokentop.runtime.serve.guard import AUTHORIZE, MAX_PATH
from tokentop.transport.ledger.database import LedgerError

_SCOPES: tuple[BudgetScope, ...] = get_args(BudgetScope)
# Our own, then those of nginx and Caddy with their identity providers (oauth2-proxy, Authelia), of
# Traefik, of Envoy with tokens (claim_to_headers), and of OpenAI's clients; the first one counts.
HEADERS: dict[BudgetScope, tuple[str, ...]] = {
    "user": ("x-tokentop-user", "x-auth-request-user", "x-forwarded-user", "remote-user",
             "x-jwt-claim-sub"),
    "project": ("x-tokentop-project", "openai-project"),
    "team": ("x-tokentop-team", "x-auth-request-groups", "x-forwarded-groups", "remote-groups",
             "openai-organization"),
}  # fmt: skip
Headers = list[tuple[bytes, bytes]]


class Authority:
    """Answers from memory. `follower` has the ledger's sums, None where there is no ledger."""

    def __init__(
        self, follower: Callable[[], Follower | None], config: Callable[[], Config]
    ) -> None:
        self._follower = follower
        self._config = config

    def routes(self) -> list[BaseRoute]:
        """Any method, and any path below: Envoy sends those of the request itself."""
        return [
            Route(AUTHORIZE, _Endpoint(self._authorize)),
            Route(AUTHORIZE + "/{rest:path}", _Endpoint(self._authorize)),
            *(
                Route(
                    f"/v1/projects/{{project:path}}/{outcome}",
                    self._stopping(outcome),
                    methods=["POST"],
                )
                for outcome in get_args(Outcome)
            ),
        ]

    def _authorize(self, scope: Scope) -> tuple[int, Headers, bytes]:
        follower, config = self._follower(), self._config().authorize
        if follower is None:
            return 404, [], f"{NO_LEDGER}\n".encode()
        asker, now_us = _asker(scope, config), time_ns() // 1000
        refusal = follower.refusal(asker, now_us)
        if refusal is not None:
            return config.status, *_refused(refusal, config)
        decides = follower.decides(now_us)
        return 200, _headers((*_named(asker), ("x-tokentop-decides", decides))), b""

    def _stopping(self, outcome: Outcome) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            follower = self._follower()
            if follower is None:
                return PlainTextResponse(f"{NO_LEDGER}\n", 404)
            project = clean_name(request.path_params["project"])
            if not project:
                return PlainTextResponse(f"{NO_NAME}\n", 400)
            try:
                text = await asyncio.to_thread(follower.decide, project, outcome)
            except LedgerError as error:
                return PlainTextResponse(f"{error}\n", 503)
            return JSONResponse({"project": project, "outcome": outcome, "text": text})

        return handle


class _Endpoint:
    """An answer made at once, sent without Starlette's own objects: a question must be cheap."""

    def __init__(self, answer: Callable[[Scope], tuple[int, Headers, bytes]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        status, headers, body = self._answer(scope)
        headers = [
            *headers,
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _asker(scope: Scope, config: AuthorizeConfig) -> Asker:
    """Whose request it is, by the address's query, which the gateway's owner wrote, else headers.

    Below the address itself the path and the query are those of the client's request, as is a query
    that is too long to be the owner's.
    """
    sent = dict(scope["headers"])  # of one that is repeated the last, which the gateway adds
    written = scope["query_string"].decode("latin-1")
    owned = scope["path"] == AUTHORIZE and len(written) <= MAX_PATH
    query = parse_qs(written) if owned else {}
    found = {each: (*getattr(config, each), *HEADERS[each]) for each in _SCOPES}
    return Asker(**{each: _name(query.get(each, ()), sent, found[each]) for each in _SCOPES})


def _name(given: Iterable[str], sent: dict[bytes, bytes], headers: Iterable[str]) -> str | None:
    """The first name there is; of several in one header, like groups, the first."""
    values = (sent.get(header.lower().encode("latin-1", "replace"), b"") for header in headers)
    texts = (*given, *(value.decode("utf-8", "replace").partition(",")[0] for value in values))
    names = map(clean_name, texts)
    return next((name for name in names if name), None)


def _refused(refusal: Refusal, config: AuthorizeConfig) -> tuple[Headers, bytes]:
    wait = None if refusal.wait_s is None else str(ceil(refusal.wait_s))
    headers = (
        ("content-type", "application/json"),
        ("x-should-retry", "false"),
        ("x-tokentop-refused", refusal.kind),
        ("x-tokentop-budget", refusal.budget),
        ("x-tokentop-wait-s", wait),
        ("retry-after", wait if config.retry_after else None),
    )
    error = {"message": refusal.text, "type": "budget_exceeded", "code": str(config.status)}
    body = json.dumps({"error": error})
    return _headers((*headers, ("x-tokentop-error", body))), body.encode()  # for nginx, too


def _named(asker: Asker) -> Iterable[tuple[str, str | None]]:
    """Whom it was taken to be from, for the gateway to set in place of what a client sent."""
    return ((f"x-tokentop-{name}", getattr(asker, name)) for name in _SCOPES)


def _headers(pairs: Iterable[tuple[str, str | None]]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in pairs if value is not None]
