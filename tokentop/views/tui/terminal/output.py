"""What is sent to the terminal: at once as far as it takes it, the rest on Textual's writer thread.

A thread wakes up for each of some bytes a second, and takes the interpreter's lock from the screen
for it: a twentieth of what the app costs while nothing moves.
"""

import os
from collections.abc import Callable

from tokentop.light_typing import TextIO
from tokentop.views.tui.terminal.restore_terminal import write_all


class Output:
    """The file of the writer thread; calls `hang_up` once the terminal has gone.

    The terminal is opened once more for what it takes at once: to be non-blocking is a property of
    an open file, and standard output is shared with the shell and its other programs.
    """

    def __init__(self, stream: TextIO, hang_up: Callable[[], object]) -> None:
        self._fd = stream.fileno()
        self._encoding = stream.encoding
        self._hang_up = hang_up
        self._direct = _opened_again(self._fd)
        self._left = self._written = 0  # pieces left to the writer thread, and done by it
        self._pending: list[bytes] = []

    def send(self, text: str) -> bytes:
        """Send it; returns what is left to the writer thread, after all that it has been left."""
        data = text.encode(self._encoding, errors="replace")
        if self._direct is not None and self._left == self._written:
            data = data[self._taken(self._direct, data) :]
        self._left += bool(data)
        return data

    def _taken(self, fd: int, data: bytes) -> int:
        try:
            return os.write(fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            self._hang_up()
            return len(data)

    # -- on the writer thread

    def fileno(self) -> int:
        return self._fd

    def write(self, data: bytes) -> None:
        self._pending.append(data)

    def flush(self) -> None:
        count, data = len(self._pending), b"".join(self._pending)
        self._pending.clear()
        try:
            write_all(self._fd, data)
        except OSError:
            self._hang_up()
        self._written += count


def _opened_again(fd: int) -> int | None:
    """The same terminal, where a write never waits; None where it cannot be opened."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
