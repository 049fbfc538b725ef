"""What a task is expected to cost: a median that moves only when costs have drifted."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence

RECENT = 50  # tasks that the median is over
LEAST = 5  # tasks before there is an expectation
SETTLED = 30  # tasks after which the expectation stays, until it has drifted
DRIFT = 0.25  # of the expectation: a median farther off than that drifts
BACK = DRIFT / 2  # nearer than that it has come back
DRIFT_TASKS = 30  # tasks for which it must drift before the expectation moves


class Baseline:
    """The costs of the last tasks of one kind, and `expected`, which is None before LEAST of them.

    The expectation follows the median of the first SETTLED tasks. Later it moves to the median
    only where that was off by more than DRIFT for DRIFT_TASKS tasks; the count begins anew where
    the median comes back to less than BACK, so that one which swings about DRIFT is still seen.
    """

    __slots__ = ("_costs", "_drifting", "_ordered", "expected")

    def __init__(self) -> None:
        self.expected: float | None = None
        self._costs: deque[int] = deque()
        self._ordered: list[int] = []
        self._drifting = 0

    def add(self, cost: int) -> None:
        """Take in what a task has cost in the end."""
        if len(self._costs) == RECENT:
            del self._ordered[bisect_left(self._ordered, self._costs.popleft())]
        self._costs.append(cost)
        insort(self._ordered, cost)
        if len(self._costs) < LEAST:
            return
        middle = _median(self._ordered)
        if self.expected is None or len(self._costs) <= SETTLED:
            self.expected = middle
        elif self._has_drifted(abs(middle - self.expected) / self.expected):
            self.expected, self._drifting = middle, 0

    def _has_drifted(self, off: float) -> bool:
        if off > DRIFT:
            self._drifting += 1
        elif off < BACK:
            self._drifting = 0
        return self._drifting >= DRIFT_TASKS


def _median(ordered: Sequence[int]) -> float:
    """The middle value, or the mean of the middle two."""
    half = len(ordered) // 2
    return (ordered[half] + ordered[~half]) / 2
