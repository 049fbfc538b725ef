"""Is there room for the full screen? Found out before the terminal is touched.

A thread that cannot be started later would leave the user with an alternate screen and no keys.
"""

import os
import threading

THREADS = 4  # output, input, the pooled client, the driver
DESCRIPTORS = 24  # connections, the event loop's own, a configuration file read again
STACK_BYTES = 8 * 2**20  # of a thread, by default; where it finds none, the error is the thread's
MEMORY_BYTES = 24 * 2**20 + THREADS * STACK_BYTES  # and modules loaded after the first paint


def check_headroom() -> None:
    """Take what the full screen will need all at once, and give it back.

    Raises RuntimeError, OSError or MemoryError for what there is not; `fault.exhausted` words it.
    """
    taken: list[int] = []
    release = threading.Event()
    threads = [threading.Thread(target=release.wait, daemon=True) for _ in range(THREADS)]
    try:
        bytes(MEMORY_BYTES)  # zeros of the kernel: none is touched, all are counted
        for thread in threads:
            thread.start()
        for _ in range(DESCRIPTORS):
            taken.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))  # noqa: PERF401
    finally:
        release.set()
        for descriptor in taken:
            os.close(descriptor)
        for thread in threads:
            if thread.ident is not None:
                thread.join()
