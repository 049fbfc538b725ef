"""The client on a daemon thread of its own, beside an event loop that only waits."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from tokentop import fault
from tokentop.domain.readings import Failure
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.client import Client
from tokentop.transport.http.client_blocking import one
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.exchange import Dial
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Poll
from tokentop.transport.http.resolver import Found, look_up

_TICK_S = 60.0


class NetworkThread:
    """Makes the requests of one event loop; `dial` (demo, tests) stands in for the network."""

    def __init__(
        self,
        dial: Dial | None = None,
        look_up: Callable[[str], Found] = look_up,
        sockets: SocketBudget = SOCKETS,
    ) -> None:
        self._client = Client(keep=True, dial=dial, look_up=look_up, sockets=sockets)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    async def get(self, request: Request, parent: Poll | None) -> Reply | Failure:
        """One GET with its redirects, on the parent's budget; raises only CancelledError."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply | Failure] = loop.create_future()

        def settle(answer: Reply | Failure) -> None:
            if not answered.done():
                answered.set_result(answer)

        def done(ended: Poll) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(settle, ended.result)

        poll = Poll(one(request), request, done, parent=parent)
        self._client.post(lambda: self._client.submit(poll))
        try:
            return await answered
        except asyncio.CancelledError:
            self._client.post(lambda: self._client.cancel(poll))
            raise

    def release(self, budget: Budget) -> None:
        """The poll of this budget has ended."""
        if budget.permitted:
            self._client.post(lambda: self._client.release_permit(budget))

    async def stop(self, wait_s: float) -> None:
        """Close what is open, within `wait_s`; what hangs is left to its daemon thread."""
        self._stopped.set()
        self._client.post(lambda: None)
        await asyncio.to_thread(self._thread.join, wait_s)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                self._client.tick(_TICK_S)
            except Exception as error:  # noqa: BLE001  # a fault costs the polls under way, not all
                self._client.fail(Failure("bad-data", fault.sentence(error)))
        self._client.close()
