"""One daemon thread for what would hold up a loop: reading large answers."""

from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from tokentop.threads import spawn


class Worker:
    """Calls what it is given, one after the other; nothing waits for it when the program ends."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._started = False

    def run(self, call: Callable[[], None]) -> None:
        """Call it soon on the worker's thread; here and now where the system has no thread left."""
        if not self._started and not self._start():
            call()
        else:
            self._inbox.put(call)

    @property
    def is_free(self) -> bool:
        """Whether nothing waits behind the call under way."""
        return self._inbox.empty()

    def _start(self) -> bool:
        with suppress(RuntimeError):
            spawn(self._work)
            self._started = True
        return self._started

    def _work(self) -> None:
        while True:
            self._inbox.get()()
