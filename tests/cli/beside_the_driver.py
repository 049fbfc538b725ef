"""The command, whose program goes on only once the driver's library is being loaded."""

import sys
import time

from tokentop.cli import main
from tokentop.transport.nvml import shared_library
from tokentop.transport.nvml.thread import NvmlThread
from tokentop.transport.nvml.wanted import EVERYTHING, Wanted

_poll = NvmlThread.poll


def poll(self: NvmlThread, wanted: Wanted = EVERYTHING) -> None:
    _poll(self, wanted)
    while not shared_library.is_loading():
        time.sleep(0.001)


if __name__ == "__main__":
    NvmlThread.poll = poll  # type: ignore[method-assign]
    sys.argv = sys.argv[1:]
    sys.exit(main())
