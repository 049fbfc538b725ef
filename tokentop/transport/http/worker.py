"""One daemon thread for what would hold up a loop: reading large answers."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Worker:
    """Calls what it is given, one after the other; nothing waits for it when the program ends."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, call: Callable[[], None]) -> None:
        """Call it soon on the worker's thread; here and now where the system has no thread left."""
        if self._thread is None and not self._start():
            call()
        else:
            self._inbox.put(call)

    def _start(self) -> bool:
        thread = threading.Thread(target=self._work, name="reader", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._thread = thread
        return True

    def _work(self) -> None:
        while True:
            self._inbox.get()()
