"""GETs for the full screen: a client with kept connections on a daemon thread of its own.

The event loop only waits, so that no server can hold it up. Proxies of the environment are not
used, for what is polled is on this host or in its own network, and a proxy would see the tokens;
cookies are not stored, as every poll is the same.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from tokentop import fault
from tokentop.domain.readings import Failure
from tokentop.transport.http.client import Client
from tokentop.transport.http.client_blocking import one
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.exchange import Dial
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Batches, Poll
from tokentop.transport.http.resolver import Found, look_up

_TICK_S = 60.0
_CLOSE_S = 0.2


class Pool:
    """Runs polls beside an event loop; `dial` (demo, tests) stands in for the network."""

    def __init__(
        self,
        dial: Dial | None = None,
        *,
        look_up: Callable[[str], Found] = look_up,
        sockets: SocketBudget = SOCKETS,
    ) -> None:
        self._client = Client(keep=True, dial=dial, look_up=look_up, sockets=sockets)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    async def fetch(self, request: Request) -> Reply | Failure:
        """One GET with its redirects, within `request.timeout_s`; raises only CancelledError."""
        answer: Reply | Failure = (await self.poll(one(request), request)).result
        return answer

    async def poll(self, steps: Batches, base: Request, limit_s: float | None = None) -> Poll:
        """Run a poll to its end (see `Poll`); raises only CancelledError."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Poll] = loop.create_future()

        def settle(poll: Poll) -> None:
            if not ended.done():
                ended.set_result(poll)

        def done(poll: Poll) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(settle, poll)

        poll = Poll(steps, base, done, limit_s)
        self._client.post(lambda: self._client.submit(poll))
        try:
            return await ended
        except asyncio.CancelledError:
            self._client.post(lambda: self._client.cancel(poll))
            raise

    async def aclose(self) -> None:
        """Close what is open, within 0.2 s; what hangs is left to its daemon thread."""
        self._stopped.set()
        self._client.post(lambda: None)
        await asyncio.to_thread(self._thread.join, _CLOSE_S)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                self._client.tick(_TICK_S)
            except Exception as error:  # noqa: BLE001  # a fault costs the polls under way, not all
                self._client.fail(Failure("bad-data", fault.sentence(error)))
        self._client.close()
