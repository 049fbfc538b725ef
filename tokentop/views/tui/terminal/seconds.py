"""What changes with the seconds, drawn once in each: clock, ages, countdowns."""

import asyncio
from collections.abc import Callable

BEHIND_S = 0.15  # the next picture may come somewhat late: it draws its second, and no tick does
EARLIEST_S = 0.02  # into a second: a timer is late by a millisecond, or by less


class Seconds:
    """Calls `draw` in every second of the clock, unless a picture was drawn in it already.

    `wall` gives the clock's seconds. A timer of Textual's is a task, a sleep and a future a tick.
    """

    def __init__(self, wall: Callable[[], float], draw: Callable[[], None]) -> None:
        self._wall = wall
        self._draw = draw
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """All of it has been drawn now; the ticks are counted from here."""
        self.stop()
        loop = asyncio.get_running_loop()
        at = loop.time() + until_tick_s(self._wall() % 1.0)
        self._timer = loop.call_at(at, self._tick, at)

    def stop(self) -> None:
        """No further tick."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()  # what was slept through is not made up for
        after = (at if now < at + 1.0 else now) + 1.0
        self._timer = loop.call_at(after, self._tick, after)
        self._draw()


def until_tick_s(into_s: float) -> float:
    """Seconds until the first tick after a picture that came so far into a second of the clock.

    BEHIND_S more than one, if the clock then still shows every second.
    """
    behind_s = into_s + BEHIND_S
    return 1.0 + BEHIND_S if behind_s < 1.0 - EARLIEST_S else 1.0 - into_s + EARLIEST_S
