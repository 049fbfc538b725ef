"""Which call each thread is in, since when, and how long calls have taken lately."""

from collections.abc import Callable
from threading import get_ident

from tokentop.light_typing import TypeVar
from tokentop.named_tuple import NamedTuple

STUCK_S = 2.5  # a call that lasts longer, and far longer than the others, is not waited for
STARTING_S = 10.0  # the same for a call that may have to start the driver or a GPU first
SLOWER_THAN_OTHERS = 3.0
_FADING = 0.95  # of the slowest call, at each call since: after some dozens it is forgotten

STARTING = frozenset(
    {"dlopen", "nvmlInit", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByPciBusId"}
)

T = TypeVar("T")


class Step(NamedTuple):
    """The call that a thread is in; the name is None between two calls."""

    name: str | None
    since: float


class Calls:
    """The calls of all threads; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], stuck_s: float = STUCK_S) -> None:
        self._clock = clock
        self._stuck_s = stuck_s
        self._steps: dict[int, Step] = {}
        self.stopped = False  # no library is loaded any more: the end of a process waits for that
        self.slowest_s = 0.0
        self.finished = 0

    def make(self, name: str, function: Callable[..., T], *arguments: object) -> T:
        """Call `function` as call `name` of this thread."""
        thread, began = get_ident(), self._clock()
        self._steps[thread] = Step(name, began)
        try:
            return function(*arguments)
        finally:
            now = self._clock()
            self._steps[thread] = Step(None, now)
            # One that hung for an hour and came back is no measure of the others.
            took = min(now - began, self._stuck_s)
            self.slowest_s = max(took, _FADING * self.slowest_s)
            self.finished += 1

    def begin(self) -> None:
        """Note that this thread begins a piece of work."""
        self._steps[get_ident()] = Step(None, self._clock())

    def step(self, thread: int) -> Step | None:
        """What the thread is at."""
        return self._steps.get(thread)

    def forget(self, thread: int) -> None:
        """The thread has ended."""
        self._steps.pop(thread, None)

    def lasted(self, step: Step) -> float:
        """For how long the step has lasted, seconds."""
        return self._clock() - step.since

    def is_stuck(self, step: Step) -> bool:
        """Whether the step lasts too long to be waited for; a slow driver is given its time."""
        patience = max(self._stuck_s, SLOWER_THAN_OTHERS * self.slowest_s)
        if step.name in STARTING:
            patience = max(patience, STARTING_S)
        return self.lasted(step) >= patience
