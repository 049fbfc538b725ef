"""The driver's answers in the text views: taken from its own threads, with a deadline."""

import threading
from collections import deque

from tokentop.domain.readings import Failure
from tokentop.runtime.oneshot.environment import Environment
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.nvml.thread import NvmlThread
from tokentop.transport.nvml.wanted import Wanted


class Gpus:
    """One poll of the driver at each refresh.

    What is not read by the deadline is used at the next refresh: a reading that takes longer than
    a refresh is late, and still the newest there is.
    """

    def __init__(self, environment: Environment) -> None:
        driver = environment.driver
        self._thread = NvmlThread(self._arrived) if driver is None else driver(self._arrived)
        self._complete = threading.Event()
        self._newest: deque[Answer] = deque(maxlen=1)
        self._heard = False

    def poll(self, wanted: Wanted) -> None:
        """Ask for a fresh reading; never blocks."""
        self._complete.clear()
        self._thread.start()
        self._thread.poll(wanted)

    def take(self, wait_s: float) -> Answer | None:
        """The newest answer, waiting for a complete one; None where nothing is new since.

        Before the first answer of all it is the reason for the silence.
        """
        answer = self.look(wait_s)
        if self._newest:
            answer = self._newest.pop()
        return answer

    def look(self, wait_s: float) -> Answer | None:
        """The same, and it can still be taken."""
        self._complete.wait(max(0.0, wait_s))
        if self._newest:
            return self._newest[-1]
        if self._heard or not isinstance(self._thread, NvmlThread):
            return None
        return Answer(self._thread.silence(), complete=False)

    def stop(self) -> None:
        """Ask nothing more; waits for no call."""
        self._thread.stop()

    def _arrived(self, answer: Answer) -> None:
        self._newest.append(answer)
        self._heard = self._heard or not isinstance(answer.result, Failure)
        if answer.complete:
            self._complete.set()
