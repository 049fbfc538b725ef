"""The client on a daemon thread of its own, beside an event loop that only waits.

Where the system has no thread left the loop does the work itself, a little at a time.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from tokentop import fault
from tokentop.domain.readings import Failure
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.client import Client
from tokentop.transport.http.client_blocking import one
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.exchange import Take
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Poll
from tokentop.transport.http.resolver import Found, look_up
from tokentop.transport.http.steps import Dial

_TICK_S = 60.0
_PAUSE_S = 0.01

_Answered = asyncio.Future[Reply | Failure]


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
        self._answers: deque[tuple[_Answered, Reply | Failure]] = deque()
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
        answered: _Answered = loop.create_future()

        def done(ended: Poll) -> None:
            self._answers.append((answered, ended.result))
            if len(self._answers) == 1:  # else a call is under way, which settles this one too
                with suppress(RuntimeError):  # the loop was closed meanwhile
                    loop.call_soon_threadsafe(self._settle)

        if not self._thread.is_alive() and self._in_loop is None:
            self._in_loop = asyncio.ensure_future(self._work_in_loop())
        poll = Poll(one(request), request, done, parent=parent, take=take)
        self._client.post(lambda: self._client.submit(poll))
        try:
            return await answered
        except asyncio.CancelledError:
            self._client.post(lambda: self._client.cancel(poll))
            raise

    def _settle(self) -> None:
        """Hand over all answers that are there; on the loop's thread."""
        while self._answers:
            answered, answer = self._answers[0]
            if not answered.done():
                answered.set_result(answer)
            self._answers.popleft()

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
        try:
            self._client.tick(limit_s)
        except Exception as error:  # noqa: BLE001  # a fault costs the polls under way, not all
            self._client.fail(Failure("bad-data", fault.sentence(error)))
