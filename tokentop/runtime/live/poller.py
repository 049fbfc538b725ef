"""Endless polling, one worker per source with its own due time, so that none delays another."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from tokentop import fault
from tokentop.collect.collector import HttpSource, ServiceResult, service_poll
from tokentop.domain.readings import Failure, GpusReading
from tokentop.light_typing import TYPE_CHECKING, Protocol
from tokentop.runtime.live.rounds import Rounds
from tokentop.runtime.live.spawn import Spawn
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.nvml.wanted import WATCHED, Wanted

if TYPE_CHECKING:
    from tokentop.transport.http.messages import Request
    from tokentop.transport.http.poll import Batches, Poll

QUIET_S = 0.03  # answers of one round arrive together; one picture shows them all
COALESCE_S = 0.1
DRIVER_AFTER_S = 0.02  # or with the first answer: beside the requests each would wait for the other
SHOW_EVERY_S = 0.25  # at most four pictures a second
INTERVALS = (0.5, 1.0, 2.0, 4.0, 5.0, 10.0, 15.0, 30.0, 60.0)


class Sources(Protocol):
    """The part of the collector that polling drives; `now` is monotonic seconds."""

    @property
    def sources(self) -> tuple[HttpSource, ...]: ...
    def due(self, key: str, now: float) -> bool: ...
    def record(self, key: str, result: ServiceResult | Failure, now: float) -> None: ...
    def record_gpus(
        self, result: GpusReading | Failure, now: float, latency_s: float | None
    ) -> None: ...


class Pool(Protocol):
    async def poll(
        self, steps: "Batches", base: "Request", limit_s: float | None = None
    ) -> "Poll": ...


class Gpus(Protocol):
    """The driver's thread: `poll` requests a reading and never blocks."""

    def start(self) -> None: ...
    def poll(self, wanted: Wanted) -> None: ...


def stepped(interval_s: float, step: int) -> float:
    """The next longer (+1) or shorter (-1) interval of INTERVALS, 0.5-60 s."""
    if step > 0:
        return next((i for i in INTERVALS if i > interval_s), INTERVALS[-1])
    return next((i for i in reversed(INTERVALS) if i < interval_s), INTERVALS[0])


class Poller:
    """Polls every source at its own due time; calls `on_change` at most four times a second."""

    def __init__(
        self,
        collector: Sources,
        interval_s: float,
        on_change: Callable[[], object],
        clock: Callable[[], float],
    ) -> None:
        self._collector = collector
        self._rounds = Rounds(interval_s, clock)
        self._on_change = on_change
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._driver_answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._pending: asyncio.TimerHandle | None = None
        self._shown_at = self._show_by = float("-inf")
        self._gpus: Gpus | None = None
        self._wanted = WATCHED
        self._driver_polled = False
        self._driver_due: asyncio.Handle | None = None

    def start(self, pool: Pool, gpus: Gpus | None, spawn: Spawn) -> None:
        """Start one worker per source, and two for the driver, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._rounds.begin()
        for source in self._collector.sources:
            poll = self.repeat(partial(self._poll_source, pool, source))
            spawn(poll, name=f"poll {source.key}", group="services")
        if gpus is not None and self._started(gpus):
            self._gpus = gpus
            poll = self.repeat(self._poll_driver)
            spawn(poll, name="driver", group="driver", exclusive=True)
            answers = self._record_driver_answers()
            spawn(answers, name="driver answers", group="driver answers", exclusive=True)

    def _started(self, gpus: Gpus) -> bool:
        try:
            gpus.start()
        except RuntimeError as error:
            text = fault.exhausted(error) or "its thread did not start"
            failure = Failure("driver", f"the NVIDIA driver is not polled: {text}")
            self._collector.record_gpus(failure, self._clock(), None)
            return False
        return True

    @property
    def interval_s(self) -> float:
        """Seconds between two polls of a source."""
        return self._rounds.interval_s

    def refresh(self) -> None:
        """Make every source due now."""
        self._rounds.begin()

    def set_interval(self, interval_s: float) -> None:
        """Poll every `interval_s` seconds from now on."""
        self._rounds.interval_s = interval_s
        self.refresh()

    def gpus_answered(self, answer: Answer) -> None:
        """An answer of the driver, or why there is none; called on the driver's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._driver_answers.put_nowait, answer)

    async def _record_driver_answers(self) -> None:
        while True:  # in a worker and not in the callback, so that a fault is reported
            answer = await self._driver_answers.get()
            self._collector.record_gpus(answer.result, self._clock(), answer.latency_s)
            self.changed()

    async def repeat(self, poll: Callable[[], Awaitable[bool | None]]) -> None:
        """Call `poll` in every round, and at every refresh, until it returns False."""
        await self._rounds.each(poll)

    async def _poll_source(self, pool: Pool, source: HttpSource) -> None:
        if self._collector.due(source.key, self._clock()):
            ended = await pool.poll(service_poll(source), source.request)
            self._collector.record(source.key, ended.result, self._clock() - ended.age_s)
            self.changed()

    async def _poll_driver(self) -> None:
        """At first at once, for what a search is told by processes on GPUs."""
        if self._driver_polled:
            loop = asyncio.get_running_loop()
            self._driver_due = loop.call_later(DRIVER_AFTER_S, self._ask_driver)
        else:
            self._ask_driver()

    def _ask_driver(self) -> None:
        self._driver_polled, self._driver_due = True, None
        if self._gpus is not None:
            self._gpus.poll(self._wanted)

    def want_of_gpus(self, wanted: Wanted) -> None:
        """Ask the driver for this from now on; at once where it is more than before."""
        if wanted == self._wanted:
            return
        more, self._wanted = wanted.page and not self._wanted.page, wanted
        if more and self._gpus is not None:
            self._gpus.poll(wanted)

    def changed(self) -> None:
        """Show soon: when no answer has come for QUIET_S, at the latest after COALESCE_S."""
        if self._loop is None:
            return
        if self._driver_due is not None:  # requests are made and answers are here
            self._driver_due.cancel()
            self._driver_due = self._loop.call_soon(self._ask_driver)
        now = self._clock()
        if self._pending is None:
            self._show_by = max(now + COALESCE_S, self._shown_at + SHOW_EVERY_S)
        else:
            self._pending.cancel()
        at = max(now + QUIET_S, self._shown_at + SHOW_EVERY_S)
        self._pending = self._loop.call_later(min(at, self._show_by) - now, self._show)

    def _show(self) -> None:
        self._pending = None
        self._shown_at = self._clock()
        self._on_change()
