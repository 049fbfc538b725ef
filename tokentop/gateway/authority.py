"""Whether a request may be made, and a stream go on: asked of `tokentop serve`."""

import json
import logging
from collections.abc import Mapping

import httpx

from tokentop.gateway.delivery import headers
from tokentop.gateway.settings import CLOSED, Settings
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple

PATH = "/v1/authorize"
_ABSENT = 404  # that service decides nothing
_DECIDED = "x-tokentop-refused"
_UNDECIDED = "tokentop cannot be asked, and its plugin's failure mode is closed"

log = logging.getLogger("tokentop.gateway")


class Refused(NamedTuple):
    """What the client is answered: it obeys at the first attempt, and shows the sentence."""

    status: int
    detail: dict[str, Any]
    headers: dict[str, str]


class Authority:
    """Asks over one connection that is kept; used on the gateway's event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._web: httpx.AsyncClient | None = None

    async def refusal(self, who: Mapping[str, str | None]) -> Refused | None:
        """Why `who` (user, project, team) may not spend now; None where they may."""
        named = {name: each for name, each in who.items() if each}
        try:
            answer = await self._client().get(self._settings.url + PATH, params=named)
        except httpx.HTTPError:
            return self._undecided("no answer")
        if answer.status_code in (200, _ABSENT):
            return None
        if _DECIDED not in answer.headers:  # of a proxy before it, or of its own guard
            return self._undecided(f"status {answer.status_code}")
        return _refused(answer)

    def _client(self) -> httpx.AsyncClient:
        if self._web is None:
            self._web = httpx.AsyncClient(
                timeout=self._settings.timeout_s,
                headers=headers(self._settings),
                trust_env=False,
            )
        return self._web

    def _undecided(self, reason: str) -> Refused | None:
        mode = self._settings.failure_mode
        log.warning("%s of %s%s: %s", reason, self._settings.url, PATH, mode)
        if mode != CLOSED:
            return None
        error = {"message": _UNDECIDED, "type": "budget_undecided", "code": "429"}
        return Refused(429, {"error": error}, {"x-should-retry": "false"})


def _refused(answer: httpx.Response) -> Refused:
    try:
        detail = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        detail = None
    if not isinstance(detail, dict):
        error = {"message": answer.text[:1000], "type": "budget_exceeded"}
        detail = {"error": {**error, "code": str(answer.status_code)}}
    kept = {name: value for name, value in answer.headers.items()
            if name in ("x-should-retry", "retry-after")
            or (name.startswith("x-tokentop-") and name != "x-tokentop-error")}  # fmt: skip
    return Refused(answer.status_code, detail, kept)
