"""Polls for the full screen: an httpx client whose transport works on a thread of its own.

The event loop only waits, so that no server can hold it up. Proxies of the environment are not
used, for what is polled is on this host or in its own network, and a proxy would see the tokens;
cookies are not stored, as every poll is the same.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from time import monotonic

from tokentop.domain.readings import Failure
from tokentop.transport.http.client_blocking import one
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.failures import RequestFailed, fail
from tokentop.transport.http.handover import Handover
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.network_thread import NetworkThread
from tokentop.transport.http.poll import Batches, Poll
from tokentop.transport.http.resolver import Found, look_up
from tokentop.transport.http.steps import Dial
from tokentop.transport.http.worker import Worker

# httpx imports its own command line where click is installed: 7 MB and 50 ms for nothing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx  # noqa: E402

from tokentop.transport.http.httpx_transport import (  # noqa: E402
    BoundedTransport,
    PollClient,
    RequestRefused,
    httpx_request,
    outcome_of,
)

INLINE = 16 * 1024  # answers up to this are read on the event loop, larger ones by the worker
_CLOSE_S = 0.2


class Pool:
    """Runs polls on an event loop; `dial` (demo, tests) stands in for the network."""

    def __init__(
        self,
        dial: Dial | None = None,
        *,
        look_up: Callable[[str], Found] = look_up,
        sockets: SocketBudget = SOCKETS,
    ) -> None:
        self._network = NetworkThread(dial, look_up, sockets)
        self._client = PollClient(
            transport=BoundedTransport(self._network), trust_env=False, timeout=None
        )
        self._worker = Worker()
        self._results = Handover()

    async def fetch(self, request: Request) -> Reply | Failure:
        """One GET with its redirects, within `request.timeout_s`; raises only CancelledError."""
        answer: Reply | Failure = (await self.poll(one(request), request)).result
        return answer

    async def poll(self, steps: Batches, base: Request, limit_s: float | None = None) -> Poll:
        """Run a poll to its end (see `Poll`); raises only CancelledError."""
        poll = Poll(steps, base, limit_s=limit_s)
        poll.submitted = monotonic()
        try:
            requests = poll.send(None)
            while requests is not None:
                replies = await self._answers(poll, requests)
                requests = None if replies is None else await self._resumed(poll, replies)
        finally:
            poll.close()
            self._network.release(poll.budget)
        return poll

    async def aclose(self) -> None:
        """Close what is open, within 0.2 s; what hangs is left to its daemon thread."""
        await self._client.aclose()
        await self._network.stop(_CLOSE_S)

    async def _answers(
        self, poll: Poll, requests: Sequence[Request]
    ) -> list[Reply | Failure] | None:
        """The answers of a batch in order; None where they take too long, with a result."""
        if len(requests) == 1 and poll.limit_s is None:
            return [await self._get(requests[0], poll)]  # without a task, which costs as much
        tasks = [asyncio.ensure_future(self._get(request, poll)) for request in requests]
        try:
            if await _all_done(tasks, poll):
                return [task.result() for task in tasks]
        finally:
            for task in tasks:
                task.cancel()
        poll.result, poll.ended = poll.overdue(poll.end or monotonic()), None
        return None

    async def _get(self, request: Request, poll: Poll) -> Reply | Failure:
        try:
            return outcome_of(await self._client.send(_question(request, poll)))
        except (RequestRefused, RequestFailed) as failed:
            return failed.failure

    async def _resumed(self, poll: Poll, replies: list[Reply | Failure]) -> list[Request] | None:
        """Resume the poll with its answers: here, or on the worker where they are large."""
        if sum(len(r.body) for r in replies if isinstance(r, Reply)) <= INLINE:
            return poll.send(replies)
        loop = asyncio.get_running_loop()
        read: asyncio.Future[list[Request] | None] = loop.create_future()
        self._results.to(loop)

        def work() -> None:
            self._results.add(read, poll.send(replies))
            self._results.flush(complete=self._worker.is_free)

        self._worker.run(work)
        return await read


async def _all_done(tasks: "Sequence[asyncio.Future[Reply | Failure]]", poll: Poll) -> bool:
    """Wait for all of them, at most until the poll's end; whether all are done."""
    waiting: set[asyncio.Future[Reply | Failure]] = set(tasks)
    while waiting:
        end = poll.end
        left = None if end is None else end - monotonic()
        if left is not None and left <= 0:
            return False
        _, waiting = await asyncio.wait(waiting, timeout=left)
    return True


def _question(request: Request, poll: Poll) -> httpx.Request:
    try:
        return httpx_request(request, poll)
    except httpx.InvalidURL:
        fail("unreachable", "the address is not a valid http:// or https:// URL: mend it")
