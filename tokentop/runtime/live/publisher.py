"""Gives snapshots to what keeps them, on a thread of its own: a slow disk holds up no picture."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot


class Published(NamedTuple):
    """A snapshot, the configuration that it was made with, and its moment in Unix seconds."""

    config: Config
    snapshot: Snapshot
    wall: float


class Publisher:
    """Calls `keep` with the newest snapshot; one that still waits is replaced by it.

    `keep` raises nothing.
    """

    def __init__(self, keep: Callable[[Published], None]) -> None:
        self._keep = keep
        self._newest: Published | None = None
        self._offered = threading.Event()
        self._thread: threading.Thread | None = None

    def offer(self, published: Published) -> None:
        """Keep it soon; never blocks. Where the system has no thread left nothing is kept."""
        self._newest = published
        self._offered.set()
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="publisher", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return
            self._thread = thread

    def _work(self) -> None:
        while self._offered.wait():
            self._offered.clear()
            if self._newest is not None:
                self._keep(self._newest)
