"""For scripts in a process of their own: the driver's real threads over the fake library.

Nothing here sleeps: a script waits for answers, and for what it said it waits for.
"""

import os
import queue
import shutil
import sys
import time
import traceback
from collections.abc import Callable

from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.nvml.thread import NvmlThread
from tokentop.transport.nvml.wanted import EVERYTHING, Wanted
from tokentop.transport.nvml.workers import Workers

LONG_S = 20.0


class Live:
    """The driver as the program sees it; `stuck_s` is how long a call may take."""

    def __init__(self, stuck_s: float = 0.4) -> None:
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.thread = NvmlThread(self.answers.put, stuck_s=stuck_s)
        self.thread.start()
        self.last: list[DeviceReading] = []

    def poll(self, wanted: Wanted = EVERYTHING) -> None:
        self.thread.poll(wanted)

    def complete(self) -> Answer:
        """The next answer with all that is to come of this poll."""
        return self.answer(lambda answer: answer.complete)

    def answer(self, wanted: Callable[[Answer], bool]) -> Answer:
        """The next answer like that; raises queue.Empty where none comes."""
        while not wanted(found := self.answers.get(timeout=LONG_S)):
            pass
        return found

    def read(self, wanted: Wanted = EVERYTHING) -> list[DeviceReading]:
        """The GPUs of one whole poll."""
        self.poll(wanted)
        result = self.complete().result
        assert isinstance(result, GpusReading), result
        self.last = list(result.devices)
        return self.last

    def failure(self) -> Failure:
        """Why the next poll has no reading."""
        self.poll()
        result = self.answers.get(timeout=LONG_S).result
        assert isinstance(result, Failure), result
        return result

    def stop(self) -> None:
        self.thread.stop()

    def join(self) -> None:
        """Wait for the threads to end by themselves."""
        self._until(lambda: not _running(NvmlThread) and not _running(Workers))

    def until_idle(self) -> None:
        """Poll until no call hangs any more."""
        self._until(lambda: self.poll_once() and threads() == 1)

    def poll_once(self) -> bool:
        """Poll and wait for the whole answer."""
        self.poll()
        return self.complete().complete

    def wait_for_call(self) -> None:
        """Wait until a call hangs, before which the fake library writes its log."""
        self._until(lambda: os.path.exists(os.environ["FAKE_NVML_LOG"]))

    def until_calls(self, count: int) -> None:
        """Wait until so many calls have ended."""
        self._until(lambda: len(_traced()) >= count)

    def _until(self, holds: Callable[[], bool]) -> None:
        limit = time.monotonic() + LONG_S
        while not holds():
            assert time.monotonic() < limit
            os.sched_yield()


def play(name: str) -> None:
    """Put the scenario in the environment variable `name` in place of the running one."""
    running = os.environ["FAKE_NVML_SCENARIO"]
    shutil.copy(os.environ[name], running + ".new")
    os.replace(running + ".new", running)


def _traced() -> list[str]:
    try:
        with open(os.environ["FAKE_NVML_TRACE"]) as file:
            return file.readlines()
    except FileNotFoundError:
        return []


def threads() -> int:
    """How many threads make calls, or hang in one."""
    return _running(Workers)


def _running(of: type[NvmlThread] | type[Workers]) -> int:
    """How many threads run its `_run`."""
    runs = of._run.__code__
    return sum(
        any(frame.f_code is runs for frame, _ in traceback.walk_stack(top))
        for top in sys._current_frames().values()
    )


def states(devices: list[DeviceReading]) -> str:
    return " ".join(device.state for device in devices)
