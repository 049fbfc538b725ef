"""The demo's own time, in seconds since it began."""

from collections.abc import Callable
from time import monotonic


def demo_clock(
    at_s: float | None = None, *, now: Callable[[], float] = monotonic
) -> Callable[[], float]:
    """A clock that starts at 0 when it is first read, or one that stands still at `at_s`."""
    if at_s is not None:
        return lambda: at_s
    began: list[float] = []

    def clock() -> float:
        if not began:
            began.append(now())
        return round(now() - began[0], 2)  # requests of one moment get answers of one moment

    return clock
