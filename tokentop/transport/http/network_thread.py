"""The client on a daemon thread of its own, beside an event loop that only waits.

Where the system has no thread left the loop does the work itself, a little at a time.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic

from tokentop import fault
from tokentop.domain.readings import Failure
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.client import Client
from tokentop.transport.http.client_blocking import one
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.exchange import Take
from tokentop.transport.http.handover import Handover
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Poll
from tokentop.transport.http.resolver import Found, look_up
from tokentop.transport.http.steps import Dial

_TICK_S = 60.0
_PAUSE_S = 0.01


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
        self._asked: list[Poll] = []  # in this turn of the loop
        self._answers = Handover()
        self._in_loop: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        with suppress(RuntimeError):  # the system has no thread left
            self._thread.start()

    async def get(
        self, request: Request, parent: Poll | None = None, take: Take | None = None
    ) -> Reply | Failure:
        """One GET with its redirects, on the parent's budget; raises only CancelledError.

        With `take` the answer has no end: its pieces go there, on the network thread, and it has
        failed once nothing came for `request.timeout_s`.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply | Failure] = loop.create_future()
        self._answers.to(loop)

        def done(ended: Poll) -> None:
            self._answers.add(answered, ended.result)

        if not self._thread.is_alive() and self._in_loop is None:
            self._in_loop = asyncio.ensure_future(self._work_in_loop())
        poll = Poll(one(request), request, done, parent=parent, take=take)
        if not self._asked:
            loop.call_soon(self._submit)
        self._asked.append(poll)
        try:
            return await answered
        except asyncio.CancelledError:
            if poll in self._asked:
                self._asked.remove(poll)
            self._client.post(partial(self._client.cancel, poll))
            raise

    def _submit(self) -> None:
        """Hand over what was asked in this turn of the loop: together it wakes the thread once."""
        asked, self._asked = self._asked, []
        for poll in asked:
            self._client.post(partial(self._client.submit, poll))

    def release(self, budget: Budget) -> None:
        """The poll of this budget has ended."""
        if budget.permitted:
            self._client.post(lambda: self._client.release_permit(budget))

    async def stop(self, wait_s: float) -> None:
        """Close what is open, within `wait_s`; what hangs is left to its daemon thread."""
        self._stopped.set()
        self._client.post(lambda: None)
        until = monotonic() + wait_s
        # An event would be set by a thread, and to join one takes another.
        while self._is_working() and monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_S)

    def _is_working(self) -> bool:
        in_loop = self._in_loop is not None and not self._in_loop.done()
        return in_loop or self._thread.is_alive()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._tick(_TICK_S)
        self._client.close()

    async def _work_in_loop(self) -> None:
        while not self._stopped.is_set():
            self._tick(0.0)
            await asyncio.sleep(_PAUSE_S)
        self._client.close()

    def _tick(self, limit_s: float) -> None:
        wait_s = self._answers.wait_s
        try:
            self._client.tick(limit_s if wait_s is None else min(limit_s, wait_s))
        except Exception as error:  # noqa: BLE001  # a fault costs the polls under way, not all
            self._client.fail(Failure("bad-data", fault.sentence(error)))
        self._answers.flush(complete=self._client.is_idle)
