"""Threads that nothing waits for, not even their start.

`threading.Thread.start` returns once the new thread runs: never, where that one dies at once for
want of memory.
"""

from _thread import start_new_thread
from collections.abc import Callable

from tokentop.fault import exhausted


def spawn(work: Callable[[], None]) -> None:
    """Call `work` on a daemon thread; returns at once.

    Raises RuntimeError where the system has no thread left. A thread that runs out of memory or
    descriptors ends without a word: who needs its result has a deadline, or asks again.
    """
    start_new_thread(_run, (work,))


def _run(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        if exhausted(error) is None:
            raise
