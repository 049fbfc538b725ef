"""Calls handed over to the client's thread from any other."""

import _socket as socket  # see steps.py
import selectors
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Posts:
    """Calls to make soon; from the first `watch` on, a post wakes the selector."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._calls: deque[Callable[[], None]] = deque()
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._lock = threading.Lock()
        self._waking = False  # a byte is under way: what is posted until it is read needs no other

    def __bool__(self) -> bool:
        return bool(self._calls)

    def soon(self, call: Callable[[], None]) -> None:
        """Call it at the end of the present tick; on the client's own thread only."""
        self._calls.append(call)

    def post(self, call: Callable[[], None]) -> None:
        """Call it soon; on any thread."""
        self._calls.append(call)
        with self._lock:
            if self._ends is not None and not self._waking:
                self._waking = True
                with suppress(OSError):  # closed meanwhile
                    self._ends[1].send(b"\0")

    def watch(self) -> None:
        """Let posts wake the selector from now on."""
        with self._lock:
            if self._ends is None:
                self._ends = socket.socketpair()
                for end in self._ends:
                    end.setblocking(False)
                self._selector.register(self._ends[0], selectors.EVENT_READ, None)

    def woken(self) -> None:
        """Take what woke the selector."""
        with self._lock:
            self._waking = False
            if self._ends is not None:
                with suppress(OSError):
                    self._ends[0].recv(4096)

    def run(self) -> None:
        """Make the calls that are there now."""
        for _ in range(len(self._calls)):
            self._calls.popleft()()

    def close(self) -> None:
        with self._lock:
            for end in self._ends or ():
                end.close()
            self._ends = None
