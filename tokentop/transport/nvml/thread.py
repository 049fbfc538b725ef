"""The driver's own daemon thread: a call that hangs there holds up nobody."""

import threading
import time
from collections.abc import Callable

from tokentop.domain.readings import Failure, GpusReading
from tokentop.transport.nvml.reader import Reader

Answer = GpusReading | Failure


class NvmlThread:
    """Reads the local GPUs whenever `poll` asks; polls while one is under way count as one.

    `on_result` gets each answer with its latency in seconds, on this thread. `read` and `clock`
    are Reader.read and the monotonic clock; without `details` the reader asks for what one line
    shows.
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
        self._asked = self._answered = self._taken = 0
        self._answer: Answer | None = None
        self._busy_since: float | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def busy_since(self) -> float | None:
        """The monotonic time since when the driver has owed an answer; None while it is idle."""
        return self._busy_since

    def start(self) -> None:
        """Start the thread; a second start does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="nvml", daemon=True)
            self._thread.start()

    def poll(self) -> None:
        """Ask for a fresh reading; never blocks."""
        with self._changed:
            self._asked += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Ask nothing more and report nothing more; never waits for a call under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def read_within(self, deadline_s: float) -> Answer:
        """The answer to the last `poll` (made here if there was none), or a timeout failure.

        A driver that has been silent for that long already is not waited for again.
        """
        self.start()
        if self._asked == self._taken:
            self.poll()
        with self._changed:
            wanted = self._taken = self._asked
            if not self._stuck_for(deadline_s):
                self._changed.wait_for(lambda: self._answered >= wanted, deadline_s)
            if self._answer is not None and self._answered >= wanted:
                return self._answer
        return Failure("timeout", f"the NVIDIA driver did not answer within {deadline_s:g} s")

    def _stuck_for(self, seconds: float) -> bool:
        return self._busy_since is not None and self._clock() - self._busy_since >= seconds

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            started = self._clock()
            self._busy_since = started
            answer = self._read_safely(started)
            self._busy_since = None
            self._settle(asked, answer, self._clock() - started)

    def _next(self) -> int | None:
        """Wait for a poll; None once stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._asked > self._answered)
            return None if self._stopping else self._asked

    def _settle(self, asked: int, answer: Answer, latency_s: float) -> None:
        with self._changed:
            self._answered, self._answer = asked, answer
            self._changed.notify_all()
            report = None if self._stopping else self._on_result
        if report is not None:
            report(answer, latency_s)

    def _read_safely(self, now: float) -> Answer:
        try:
            return self._read(now)
        except Exception as error:  # noqa: BLE001  # a dead thread would show old figures for ever
            return Failure("driver", f"reading the GPUs failed: {type(error).__name__}")
