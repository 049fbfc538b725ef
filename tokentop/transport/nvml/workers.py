"""Daemon threads for calls that may hang: a stuck one is left behind and another goes on.

One thread is enough while the driver answers. While pieces of work wait, and each thread has been
at its own for PATIENCE_S, one more is started: at most BUSY that are not stuck, for a monitor
must not crowd a slow driver, and at most MAX_THREADS in all.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic

from tokentop.threads import spawn
from tokentop.transport.nvml.calls import Calls, Step

PATIENCE_S = 0.5
BUSY = 4
MAX_THREADS = 16
_LOOK_S = 0.05  # between two looks at a slow driver


class Task:
    """One piece of work; `result` or `error` is there once it is `done`."""

    def __init__(self, work: Callable[[], object], *, first: bool) -> None:
        self.work = work
        self.first = first
        self.done = self.cancelled = False
        self.result: object = None
        self.error: Exception | None = None
        self.began: float | None = None
        self.thread: int | None = None

    def run(self) -> None:
        try:
            self.result = self.work()
        except Exception as error:  # noqa: BLE001  # whoever waits for it decides
            self.error = error


class Workers:
    """The threads and their tasks; `clock` gives monotonic seconds."""

    def __init__(
        self, calls: Calls, clock: Callable[[], float], patience_s: float = PATIENCE_S
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._waiting: deque[Task] = deque()
        self._running: list[Task] = []
        self._threads = self._idle = 0
        self._stopping = False

    @property
    def threads(self) -> int:
        """How many there are, the stuck ones included."""
        return self._threads

    def submit(self, work: Callable[[], object]) -> Task:
        """Have `work` done on one of the threads, before all that waits."""
        task = Task(work, first=True)
        with self._changed:
            self._waiting.appendleft(task)
            if not self._idle and self._threads < MAX_THREADS:
                self._start()
            self._changed.notify_all()
        return task

    def submit_all(self, works: Iterable[Callable[[], object]]) -> list[Task]:
        """Have all of them done, one after the other while that goes fast."""
        tasks = [Task(work, first=False) for work in works]
        with self._changed:
            self._waiting.extend(tasks)
            if tasks and not self._threads:
                self._start()
            self._changed.notify_all()  # once, or the threads take turns with this one
        return tasks

    def wait(self, tasks: Iterable[Task], seconds: float) -> bool:
        """Wait until every task is done or stuck, at most `seconds`; whether they are."""
        wanted = tuple(tasks)
        until = monotonic() + seconds
        with self._changed:
            while not (settled := all(one.done or self._is_stuck(one) for one in wanted)):
                left = until - monotonic()
                if left <= 0 or self._stopping:
                    break
                self._start_another()
                self._changed.wait(min(left, _LOOK_S))
            return settled

    def step(self, task: Task) -> Step | None:
        """What a running task is at; None for one that waits or is done."""
        if task.done or task.thread is None:
            return None
        return self._calls.step(task.thread)

    def is_stuck(self, task: Task) -> bool:
        """Whether it is no use to wait for the task."""
        with self._changed:
            return self._is_stuck(task)

    def cancel(self, tasks: Iterable[Task]) -> None:
        """Drop those that no thread has begun."""
        with self._changed:
            for task in tasks:
                if task in self._waiting:
                    self._waiting.remove(task)
                    task.done = task.cancelled = True

    def stop(self) -> None:
        """Begin nothing more; waits for nothing."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _is_stuck(self, task: Task) -> bool:
        if task.done:
            return False
        if task.thread is None:  # no thread is left for it
            return self._threads >= MAX_THREADS and not self._busy()
        step = self._calls.step(task.thread)
        return step is not None and self._calls.is_stuck(step)

    def _busy(self) -> list[Task]:
        return [task for task in self._running if not self._is_stuck(task)]

    def _start_another(self) -> None:
        busy = self._busy()
        if not self._waiting or self._idle or len(busy) >= BUSY or self._threads >= MAX_THREADS:
            return
        now = self._clock()
        if all(now - (task.began or now) >= self._patience_s for task in busy):
            self._start()

    def _start(self) -> None:
        """One more thread; where the system grants none, `wait` tries again."""
        with suppress(RuntimeError):
            spawn(self._run)
            self._threads += 1
            self._idle += 1

    def _run(self) -> None:
        while (task := self._take()) is not None:
            self._calls.begin()
            task.run()
            with self._changed:
                task.done = True
                self._running.remove(task)
                self._idle += 1
                if task.first or not self._waiting:  # one look at all of them, not one for each
                    self._changed.notify_all()
        self._calls.forget(threading.get_ident())

    def _is_surplus(self) -> bool:
        if self._waiting:
            return len(self._busy()) >= BUSY and not self._waiting[0].first
        return self._idle > 1

    def _take(self) -> Task | None:
        """The next task; None for a thread that is one too many."""
        with self._changed:
            surplus = self._is_surplus()
            if not surplus:
                self._changed.wait_for(lambda: self._stopping or bool(self._waiting))
            self._idle -= 1
            if surplus or self._stopping:
                self._threads -= 1
                return None
            task = self._waiting.popleft()
            task.began, task.thread = self._clock(), threading.get_ident()
            self._running.append(task)
            return task
