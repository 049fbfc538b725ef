"""The one-shot views' polls of engines, beside the other sources and with their deadline.

Imported only where there is an engine.
"""

from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic

from tokentop.collect.engine import PendingPoll
from tokentop.collect.engines import EngineRegistry
from tokentop.domain.readings import Failure
from tokentop.transport.http.client import Client
from tokentop.transport.http.poll import NOT_ASKED, Poll
from tokentop.transport.run_protocol import steps


class Polls:
    """The polls of one refresh, begun at construction; `until` is monotonic.

    Every result is handed to the registry as it comes, from the thread that runs the client.
    """

    def __init__(
        self,
        registry: EngineRegistry,
        client: Client,
        due: Sequence[PendingPoll],
        until: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._registry = registry
        self._clock = clock
        within = f"{max(0.0, until - monotonic()):.1f}".removesuffix(".0")
        self._not_asked = f"{NOT_ASKED}: {len(due)} engines within {within} s"
        for one in due:
            done = partial(self._record, one.id)
            client.submit(Poll(steps(one.protocol, one.request), one.request, done, until=until))

    def _record(self, identity: str, poll: Poll) -> None:
        result = poll.result
        if isinstance(result, Failure) and result.text == NOT_ASKED:
            result = result._replace(text=self._not_asked)
        self._registry.record(identity, result, self._clock(), poll.latency_s)
