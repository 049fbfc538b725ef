"""The local GPUs, read beside everything else: a call that hangs costs its own GPU and no more.

This thread decides and never calls the driver; the calls are made on others (workers.py). A
reading goes out when every GPU is read or left behind, and before that while it takes long.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

from tokentop.domain.readings import Failure, GpusReading
from tokentop.threads import spawn
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.nvml.calls import STUCK_S, Calls
from tokentop.transport.nvml.device_reads import DeviceReads
from tokentop.transport.nvml.reader import Plan, Reader
from tokentop.transport.nvml.wanted import EVERYTHING, Wanted
from tokentop.transport.nvml.words import silent
from tokentop.transport.nvml.workers import Task, Workers

PARTIAL_S = 0.25  # a reading that takes longer goes out as far as it is


class NvmlThread:
    """Reads the local GPUs after each `poll`; polls while a reading is under way count as one.

    `on_answer` gets every answer, on this thread. `clock` gives monotonic seconds; a call that
    takes longer than `stuck_s`, and far longer than the others, is left behind.
    """

    def __init__(
        self,
        on_answer: Callable[[Answer], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        stuck_s: float = STUCK_S,
        sysfs: str = "/sys",
        proc: str = "/proc",
    ) -> None:
        self._on_answer = on_answer
        self._clock = clock
        self._stuck_s = stuck_s
        self._calls = Calls(clock, stuck_s)
        self._workers = Workers(self._calls, clock)
        self._reader = Reader(self._calls, sysfs, proc)
        self._reads = DeviceReads(self._reader, self._workers, self._calls, clock)
        self._changed = threading.Condition()
        self._wanted = EVERYTHING
        self._polls = self._answered = 0
        self._stopping = False
        self._started = False
        self._planning: Task | None = None
        self._silent_since: float | None = None

    def start(self) -> None:
        """Start the thread; a second start does nothing."""
        if not self._started:
            spawn(self._run)
            self._started = True

    def poll(self, wanted: Wanted = EVERYTHING) -> None:
        """Request a reading; never blocks."""
        with self._changed:
            self._polls += 1
            self._wanted = wanted
            self._changed.notify_all()

    def stop(self) -> None:
        """Begin no further call and report nothing; never waits for a call under way."""
        self._calls.stopped = True
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._workers.stop()

    def silence(self) -> Failure:
        """Why no GPU has been read since the first poll: a slow driver, or a call that hangs."""
        now = self._clock()
        planning = self._planning
        step = self._reads.step() if planning is None else self._workers.step(planning)
        return silent(step, self._calls, now - (self._silent_since or now))

    def _run(self) -> None:
        while (polls := self._next()) is not None:
            self._answered = polls
            self._silent_since = self._silent_since or self._clock()
            try:
                result = self._reading(self._clock())
            except Exception as error:  # noqa: BLE001  # a dead thread would show old figures for ever
                result = Failure("driver", f"reading the GPUs failed: {type(error).__name__}")
            if result is not None:
                self._report(result, complete=self._answered == self._polls)

    def _next(self) -> int | None:
        """Wait for a poll; None once stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._polls > self._answered)
            return None if self._stopping else self._polls

    def _reading(self, began: float) -> GpusReading | Failure | None:
        """The whole reading, or why there is none; None once stopped.

        Where the driver was restarted or replaced under us, NVML is started anew, once.
        """
        for anew in (False, True):
            plan = self._plan(began, anew=anew)
            if not isinstance(plan, Plan):
                return plan
            self._reads.begin(plan, began, self._wanted)
            if not self._finish():
                return None
            none_left = self._reader.settle(self._reads.fresh(), began)
            if not (none_left or self._reads.refusal()) or not self._reads.calm:
                break
        return self._result(began)

    def _plan(self, began: float, *, anew: bool) -> Plan | Failure | None:
        """Start NVML where it is not running, and list the GPUs."""
        if self._planning is None and not anew and self._reader.is_settled(began, self._wanted):
            return self._reader.plan(began, self._wanted)
        if self._planning is None:
            calm = self._reads.calm
            work = partial(self._reader.plan, began, self._wanted, calm=calm, anew=anew)
            self._planning = self._workers.submit(work)
        task = self._planning
        while not self._workers.wait((task,), self._stuck_s):
            if self._stopping:
                return None
            self._report(self.silence(), complete=False)
        if not task.done:
            return self.silence()
        self._planning = None
        if task.error is not None:
            raise task.error
        return task.result if isinstance(task.result, Plan | Failure) else None

    def _finish(self) -> bool:
        """Wait for the GPUs, reporting in between; False once stopped.

        At the next poll those that are read are read again, whatever the others do.
        """
        while not self._reads.wait(PARTIAL_S) and self._answered == self._polls:
            if self._stopping:
                return False
            if self._reads.take():
                self._report(self._reads.reading(), complete=False)
        self._reads.take()
        return not self._stopping

    def _result(self, now: float) -> GpusReading | Failure:
        refused = self._reads.refusal()
        if refused is not None and self._reads.calm:
            return self._reader.fail(refused, now)
        reading = self._reads.reading()
        if not reading.devices:
            return self._reader.no_gpu(now)
        return reading if self._reads.any_known else self.silence()

    def _report(self, result: GpusReading | Failure, *, complete: bool) -> None:
        with self._changed:
            report = None if self._stopping else self._on_answer
        if isinstance(result, GpusReading):
            self._silent_since = None
        if report is not None:
            report(Answer(result, self._reads.latency_s, complete))
