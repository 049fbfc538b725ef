"""Endless polling, one task per source with its own due time, so that none delays another."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from tokentop.domain.readings import Failure, GpusReading
from tokentop.transport.http.messages import Reply, Request

QUIET_S = 0.02  # answers of one round arrive together; one picture shows them all
COALESCE_S = 0.1
SHOW_EVERY_S = 0.25  # never more than four pictures a second
DRIVER_LIMIT_S = 2.5  # a driver that owes an answer for longer is said to be silent
_EARLY = 1e-3  # of an interval: a timer that fires a hair early must not ask twice
INTERVALS = (0.5, 1.0, 2.0, 4.0, 5.0, 10.0, 15.0, 30.0, 60.0)


class Source(Protocol):
    """What polling needs to know of one HTTP source."""

    @property
    def key(self) -> str: ...
    @property
    def request(self) -> Request: ...


class Sources(Protocol):
    """The part of the collector that polling drives; `now` is monotonic seconds."""

    @property
    def sources(self) -> tuple[Source, ...]: ...
    def due(self, key: str, now: float) -> bool: ...
    def record(self, key: str, result: Reply | Failure, now: float) -> None: ...
    def record_gpus(
        self, result: GpusReading | Failure, now: float, latency_s: float | None
    ) -> None: ...


class Pool(Protocol):
    async def fetch(self, request: Request) -> Reply | Failure: ...


class Gpus(Protocol):
    """The driver's thread: `poll` asks for a reading and never waits."""

    @property
    def busy_since(self) -> float | None: ...
    def start(self) -> None: ...
    def poll(self) -> None: ...


def stepped(interval_s: float, step: int) -> float:
    """The next longer (+1) or shorter (-1) interval of INTERVALS, 0.5-60 s."""
    if step > 0:
        return next((i for i in INTERVALS if i > interval_s), INTERVALS[-1])
    return next((i for i in reversed(INTERVALS) if i < interval_s), INTERVALS[0])


class Poller:
    """Asks every source at its own due time and tells `on_change`, at most four times a second."""

    def __init__(
        self,
        collector: Sources,
        interval_s: float,
        on_change: Callable[[], object],
        clock: Callable[[], float],
    ) -> None:
        self._collector = collector
        self.interval_s = interval_s
        self.driver_limit_s = DRIVER_LIMIT_S
        self._on_change = on_change
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakes: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._pending: asyncio.TimerHandle | None = None
        self._shown_at = self._latest = float("-inf")
        self._beat = 0.0

    def start(self, pool: Pool, gpus: Gpus | None) -> tuple[asyncio.Task[None], ...]:
        """Start every source's task on the running loop; the caller watches them for crashes."""
        self._loop = asyncio.get_running_loop()
        self._beat = self._clock()
        for source in self._collector.sources:
            self._spawn(partial(self._ask, pool, source))
        if gpus is not None:
            gpus.start()
            self._spawn(partial(self._ask_driver, gpus))
        return tuple(self._tasks)

    def stop(self) -> None:
        """Cancel every task; nothing is waited for."""
        for task in self._tasks:
            task.cancel()
        if self._pending is not None:
            self._pending.cancel()

    def refresh(self) -> None:
        """Make every source due now."""
        self._beat = self._clock()
        for wake in self._wakes:
            wake.set()

    def set_interval(self, interval_s: float) -> None:
        """Poll every `interval_s` seconds from now on."""
        self.interval_s = interval_s
        self.refresh()

    def gpus_answered(self, result: GpusReading | Failure, latency_s: float | None) -> None:
        """The driver's answer; called on the driver's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._record_gpus, result, latency_s)

    def _record_gpus(self, result: GpusReading | Failure, latency_s: float | None) -> None:
        self._collector.record_gpus(result, self._clock(), latency_s)
        self._changed()

    def _spawn(self, ask: Callable[[], Awaitable[None]]) -> None:
        wake = asyncio.Event()
        self._wakes.append(wake)
        self._tasks.append(asyncio.create_task(self._endless(ask, wake)))

    async def repeat(self, ask: Callable[[], Awaitable[bool | None]]) -> None:
        """Ask at every interval, and at every refresh, until the answer is False."""
        wake = asyncio.Event()
        self._wakes.append(wake)
        try:
            await self._endless(ask, wake)
        finally:
            self._wakes.remove(wake)

    def changed(self) -> None:
        """Something new is known: show it soon."""
        self._changed()

    async def _endless(
        self, ask: Callable[[], Awaitable[bool | None]], wake: asyncio.Event
    ) -> None:
        while await ask() is not False:
            await _woken(wake, self._next_round() - self._clock())

    def _next_round(self) -> float:
        """When the next round begins: all sources share one beat, so that one picture shows it."""
        passed = (self._clock() - self._beat) / self.interval_s
        return self._beat + (int(passed + _EARLY) + 1) * self.interval_s

    async def _ask(self, pool: Pool, source: Source) -> None:
        if self._collector.due(source.key, self._clock()):
            result = await pool.fetch(source.request)
            self._collector.record(source.key, result, self._clock())
            self._changed()

    async def _ask_driver(self, gpus: Gpus) -> None:
        silent_s = self._clock() - (gpus.busy_since or self._clock())
        if silent_s >= self.driver_limit_s:
            text = f"the NVIDIA driver has not answered for {silent_s:.0f} s"
            self._record_gpus(Failure("timeout", text), None)
        gpus.poll()

    def _changed(self) -> None:
        """Show soon: when no answer has come for QUIET_S, at the latest after COALESCE_S."""
        if self._loop is None:
            return
        now = self._clock()
        if self._pending is None:
            self._latest = max(now + COALESCE_S, self._shown_at + SHOW_EVERY_S)
        else:
            self._pending.cancel()
        at = max(now + QUIET_S, self._shown_at + SHOW_EVERY_S)
        self._pending = self._loop.call_later(min(at, self._latest) - now, self._show)

    def _show(self) -> None:
        self._pending = None
        self._shown_at = self._clock()
        self._on_change()


async def _woken(wake: asyncio.Event, delay_s: float) -> None:
    """Wait until woken, at most `delay_s` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, delay_s)):
            await wake.wait()
    wake.clear()
