"""httpx's way to the network: its requests go to the bounded client on the network thread.

httpx's own transport bounds neither the headers, chunks and interim answers that a server may
send, nor the sockets of the process, and it works on the event loop.
"""

from functools import lru_cache

import httpx

from tokentop.domain.readings import Failure
from tokentop.transport.http.messages import Reply, Request, target_of
from tokentop.transport.http.network_thread import NetworkThread
from tokentop.transport.http.poll import Poll

REQUEST, POLL = "tokentop.request", "tokentop.poll"  # extensions of a request
FAILURE, LATENCY_S = "tokentop.failure", "tokentop.latency_s"  # and of its response


class BoundedTransport(httpx.AsyncBaseTransport):
    """Carries out GETs. A failure without an answer raises RequestRefused."""

    def __init__(self, network: NetworkThread) -> None:
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; one that is not 2xx has no body, and its Failure as an extension."""
        wanted = request.extensions.get(REQUEST) or Request(str(request.url))
        outcome = await self._network.get(wanted, request.extensions.get(POLL))
        if isinstance(outcome, Reply):
            headers = {"content-type": outcome.content_type, "server": outcome.server}
            extensions: dict[str, object] = {LATENCY_S: outcome.latency_s}
            stream = httpx.ByteStream(outcome.body)
            return httpx.Response(
                outcome.status, headers=headers, stream=stream, extensions=extensions
            )
        if outcome.status is None:
            raise RequestRefused(outcome)
        return httpx.Response(outcome.status, extensions={FAILURE: outcome})


class NoCookies(httpx.Cookies):
    """Keeps none: every poll is the same. To look for them takes a quarter of httpx's time."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave them where they are."""


class PollClient(httpx.AsyncClient):
    """httpx's client without cookies."""

    _none = NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        """None, whatever was answered."""
        return self._none

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise NotImplementedError


class RequestRefused(httpx.TransportError):
    """No usable answer; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def httpx_request(request: Request, poll: Poll | None) -> httpx.Request:
    """The same GET for httpx, without its secrets; raises RequestFailed where it has no address."""
    target = target_of(request)
    url = _parsed(target.origin + target.path)
    return httpx.Request("GET", url, extensions={REQUEST: request, POLL: poll})


@lru_cache(1024)
def _parsed(url: str) -> httpx.URL:
    """The same addresses are polled again and again; a URL is immutable."""
    return httpx.URL(url)


def outcome_of(response: httpx.Response) -> Reply | Failure:
    """What a response of BoundedTransport comes to."""
    failure = response.extensions.get(FAILURE)
    if isinstance(failure, Failure):
        return failure
    return Reply(
        response.status_code,
        response.content,
        response.headers.get("content-type", ""),
        response.headers.get("server", ""),
        response.extensions[LATENCY_S],
    )
