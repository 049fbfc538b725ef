"""The stream of one `tokentop serve`: its newest event, and why there is none."""

import asyncio
from collections.abc import Callable
from random import random
from time import monotonic

from tokentop.collect.backoff import Backoff
from tokentop.config.schema import Config, HostConfig
from tokentop.domain.readings import Failure
from tokentop.named_tuple import NamedTuple
from tokentop.sources.collector import STREAM
from tokentop.sources.event_stream import EventParser
from tokentop.sources.json_fields import BadData
from tokentop.transport.http.client_blocking import fetch
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.network_thread import NetworkThread

SILENCE_S = 20.0  # a server that lives sends a comment every 15 s
ENDED = Failure("reset", "it ended the stream")


class Received(NamedTuple):
    """The object of an event, not yet read, and when it came, monotonic seconds."""

    data: bytes
    at: float


class HostFeed:
    """Follows one host for ever. `failure` is why it is not connected, None while it is.

    `newest` is replaced by each event on the network thread; what nobody has read is dropped.
    The loop is woken for it only while it is `looked_at`.
    """

    def __init__(
        self,
        host: HostConfig,
        config: Config,
        *,
        random: Callable[[], float] = random,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.host = host
        self.newest: Received | None = None
        self.looked_at = True
        self.failure: Failure | None = None
        self._config = config
        self._clock = clock
        self._backoff = Backoff(random)
        self._parser = EventParser(config.max_bytes)
        self._last_id: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: Callable[[], object] = int
        self._told = self._stopped = False
        self._asking: asyncio.Future[Reply | Failure] | None = None

    async def run(self, network: NetworkThread, changed: Callable[[], object]) -> None:
        """Connect, again and again, until `stop`.

        `changed` is called on the loop after news of either kind.
        """
        self._loop, self._changed = asyncio.get_running_loop(), changed
        while not self._stopped:
            self._parser = EventParser(self._config.max_bytes)
            self._asking = asyncio.ensure_future(network.get(self._request(), take=self._take))
            try:
                answer = await self._asking
            except asyncio.CancelledError:
                if self._stopped:
                    return
                self._asking.cancel()
                raise
            self.failure = answer if isinstance(answer, Failure) else ENDED
            changed()
            await asyncio.sleep(self._backoff.pause_s())

    def stop(self) -> None:
        """Follow it no more."""
        self._stopped = True
        if self._asking is not None:
            self._asking.cancel()

    async def post(self, path: str) -> Reply | Failure:
        """One POST without a body; raises only CancelledError."""
        return await self._once(path, b"")

    async def get(self, path: str) -> Reply | Failure:
        """One GET beside the stream; raises only CancelledError."""
        return await self._once(path, None)

    async def _once(self, path: str, post: bytes | None) -> Reply | Failure:
        request = self._request()._replace(
            url=self.host.url + path, timeout_s=self._config.deadline_s, headers=(), post=post
        )
        return await asyncio.to_thread(fetch, request)

    def _request(self) -> Request:
        resume = (("Last-Event-ID", self._last_id),) if self._last_id else ()
        return Request(
            self.host.url + STREAM,
            timeout_s=SILENCE_S,
            max_bytes=self._config.max_bytes,
            token=self.host.token,
            ca_bundle=self._config.tls.ca_bundle,
            verify=self._config.tls.verify,
            headers=(("Cache-Control", "no-store"), *resume),
        )

    def _take(self, data: bytes) -> None:
        """On the network thread: keep the newest event, and wake the loop once for it."""
        try:
            events = self._parser.feed(data)
        except BadData as problem:
            raise ConnectionResetError(str(problem)) from None
        if not events:
            return
        self._last_id = events[-1].id
        self.newest = Received(events[-1].data, self._clock())
        self.failure = None
        self._backoff.reset()
        if (
            self.looked_at
            and self._loop is not None
            and not self._told
            and not self._loop.is_closed()
        ):
            self._told = True
            self._loop.call_soon_threadsafe(self._arrived)

    def _arrived(self) -> None:
        self._told = False
        self._changed()
