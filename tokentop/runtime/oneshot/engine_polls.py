"""The one-shot views' polls of engines, all at once.

Imported only where there is an engine. All of it runs beside the other sources, on daemon
threads; what is not there at the deadline is a timeout.
"""

import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import NamedTuple

from tokentop.collect.engine import PendingPoll, PollResult
from tokentop.collect.engines import EngineRegistry
from tokentop.domain.readings import Failure
from tokentop.transport.http.client_blocking import fetch, fetch_all
from tokentop.transport.http.failures import timed_out
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import batch_fetcher, run_protocol


class Polled(NamedTuple):
    """One engine's poll and what it took, seconds."""

    id: str
    result: PollResult
    latency_s: float | None


class Polls:
    """The polls of one refresh, begun at construction; `until` is monotonic."""

    def __init__(self, registry: EngineRegistry, due: Sequence[PendingPoll], until: float) -> None:
        self._registry = registry
        self._until = until
        self._due = due
        self._inbox: SimpleQueue[Polled] = SimpleQueue()
        for one in due:
            threading.Thread(target=self._work, args=(one,), daemon=True).start()

    def record(self) -> None:
        """Hand every result to the desk; blocks until the last is here, or the deadline."""
        missing = {due.id: due for due in self._due}
        while missing:
            try:
                polled = self._inbox.get(timeout=max(0.0, self._until - monotonic()))
            except Empty:
                break
            missing.pop(polled.id, None)
            self._registry.record(polled.id, polled.result, monotonic(), polled.latency_s)
        for due in missing.values():
            late = timed_out(due.request.url, due.request.timeout_s)
            self._registry.record(due.id, late, monotonic(), None)

    def _work(self, due: PendingPoll) -> None:
        started = monotonic()
        result = poll(due, self._until)
        self._inbox.put(Polled(due.id, result, monotonic() - started))


def poll(due: PendingPoll, until: float) -> PollResult:
    """Hold one conversation; every answer of it is here by `until` (monotonic)."""

    def refresh(requests: Sequence[Request]) -> Sequence[Reply | Failure]:
        left = until - monotonic()
        if left <= 0:
            return [timed_out(request.url, request.timeout_s) for request in requests]
        bounded = [r._replace(timeout_s=min(r.timeout_s, left)) for r in requests]
        return [fetch(bounded[0])] if len(bounded) == 1 else fetch_all(bounded, left)

    try:
        return run_protocol(due.protocol, batch_fetcher(due.request, refresh))
    except Exception as error:  # noqa: BLE001  # a strange answer costs one row, not the line
        return Failure("bad-data", f"its answer could not be read ({type(error).__name__})")
