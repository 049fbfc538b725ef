"""The rounds in which all is polled: one timer for everything, and one picture shows it all."""

import asyncio
from collections.abc import Awaitable, Callable

_EARLY = 1e-3  # of an interval: a timer that fires slightly early must not poll twice


class Rounds:
    """Rounds of `interval_s` seconds since the last `begin`; `clock` gives monotonic seconds."""

    def __init__(self, interval_s: float, clock: Callable[[], float]) -> None:
        self.interval_s = interval_s
        self._clock = clock
        self._began = 0.0
        self._begins = 0
        self._next = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begin a round now, from which the others are counted."""
        self._began = self._clock()
        self._begins += 1
        if self._timer is not None:
            self._timer.cancel()
        self._turn()

    def next_at(self) -> float:
        """When the next round begins."""
        passed = (self._clock() - self._began) / self.interval_s
        return self._began + (int(passed + _EARLY) + 1) * self.interval_s

    async def each(self, work: Callable[[], Awaitable[bool | None]]) -> None:
        """Do it now and in every round, until it returns False.

        A round that passes meanwhile is left out, but for one that `begin` has begun.
        """
        while True:
            begins = self._begins
            if await work() is False:
                return
            if begins == self._begins:
                await self._wait()

    async def _wait(self) -> None:
        if self._timer is None:
            delay_s = max(0.0, self.next_at() - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._turn)
        await self._next.wait()

    def _turn(self) -> None:
        """Wake all that wait; those that wait from now on wait for the next one."""
        self._timer = None
        self._next.set()
        self._next = asyncio.Event()
