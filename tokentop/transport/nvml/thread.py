"""The driver's own daemon thread: a call that hangs there blocks nothing else."""

import threading
import time
from collections.abc import Callable

from tokentop.domain.readings import Failure, GpusReading
from tokentop.transport.nvml.reader import Reader

Answer = GpusReading | Failure


class NvmlThread:
    """Reads the local GPUs after each `poll`; polls while a reading is under way count as one.

    `on_result` gets each answer with its latency in seconds, on this thread. `read` and `clock`
    are Reader.read and the monotonic clock; without `details` only what one line shows is read.
    """

    def __init__(
        self,
        on_result: Callable[[Answer, float], None] | None = None,
        *,
        details: bool = True,
        read: Callable[[float], Answer] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_result = on_result
        self._read = read or Reader(details=details).read
        self._clock = clock
        self._changed = threading.Condition()
        self._polls = self._answered = 0
        self._busy_since: float | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def busy_since(self) -> float | None:
        """The monotonic time at which the call under way began; None while there is none."""
        return self._busy_since

    def start(self) -> None:
        """Start the thread; a second start does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="nvml", daemon=True)
            self._thread.start()

    def poll(self) -> None:
        """Request a reading; never blocks."""
        with self._changed:
            self._polls += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Begin no further reading and report none; never waits for a call under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _run(self) -> None:
        while (polls := self._next()) is not None:
            started = self._clock()
            self._busy_since = started
            answer = self._read_safely(started)
            self._busy_since = None
            self._settle(polls, answer, self._clock() - started)

    def _next(self) -> int | None:
        """Wait for a poll; None once stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._polls > self._answered)
            return None if self._stopping else self._polls

    def _settle(self, polls: int, answer: Answer, latency_s: float) -> None:
        with self._changed:
            self._answered = polls
            self._changed.notify_all()
            report = None if self._stopping else self._on_result
        if report is not None:
            report(answer, latency_s)

    def _read_safely(self, now: float) -> Answer:
        try:
            return self._read(now)
        except Exception as error:  # noqa: BLE001  # a dead thread would show old figures for ever
            return Failure("driver", f"reading the GPUs failed: {type(error).__name__}")
