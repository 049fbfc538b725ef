"""What polls wait for: their time, a place for a socket, their turn to read large answers."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from tokentop.light_typing import Generic, TypeVar
from tokentop.transport.http.budget import Budget
from tokentop.transport.http.connections import IdleConnections
from tokentop.transport.http.descriptors import SocketBudget
from tokentop.transport.http.poll import Exchange

STARTED_AT_ONCE = 16  # exchanges begun before those under way are looked at again
RETRY_S = 0.05  # for a socket that another client of this process may give back

T = TypeVar("T")


class Alarms(Generic[T]):
    """Things to look at again at a monotonic second."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._count = 0

    def add(self, at: float, what: T) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, what))

    @property
    def first(self) -> float | None:
        """When the next one is due."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> Iterator[T]:
        """Those that are due, each once."""
        while self._heap and self._heap[0][0] <= now:
            yield heapq.heappop(self._heap)[2]


class LargeAnswers:
    """Lets one poll at a time read large answers; `soon` calls back, `resume` goes on with one."""

    def __init__(
        self, soon: Callable[[Callable[[], None]], None], resume: Callable[[Exchange], None]
    ) -> None:
        self._soon = soon
        self._resume = resume
        self._permitted: Budget | None = None
        self._waiting: deque[Exchange] = deque()

    def want(self, one: Exchange) -> None:
        """Go on with the exchange when it is its poll's turn."""
        budget = one.poll.budget
        if self._permitted is None:
            self._permitted = budget
            budget.permitted = True
        if self._permitted is budget:
            self._soon(partial(self._resume, one))
        else:
            self._waiting.append(one)

    def release(self, budget: Budget) -> None:
        """The poll of this budget has ended; it is the turn of another one."""
        if self._permitted is not budget:
            return
        self._permitted = None
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.finished:
                self.want(one)


class Places:
    """Exchanges that wait for a place in the socket budget, those that wait longest first."""

    def __init__(self, sockets: SocketBudget, idle: IdleConnections | None) -> None:
        self._sockets = sockets
        self._idle = idle
        self._wanting: deque[Exchange] = deque()
        self._starved = False

    @property
    def is_wanted(self) -> bool:
        return bool(self._wanting)

    @property
    def pause_s(self) -> float:
        """Seconds to wait before the next `grant`: there may be no place now."""
        return RETRY_S if self._starved else 0.0

    def want(self, one: Exchange) -> None:
        self._wanting.append(one)

    def grant(self) -> Iterator[Exchange]:
        """Those that have a place now; a few, as others are under way."""
        self._starved = False
        for _ in range(STARTED_AT_ONCE):
            while self._wanting and self._wanting[0].finished:
                self._wanting.popleft()
            if not self._wanting:
                return
            if not self._took_one():
                self._starved = True
                return
            yield self._wanting.popleft()

    def _took_one(self) -> bool:
        while not self._sockets.take():
            if self._idle is None or not self._idle.close_one():
                return False
        return True
