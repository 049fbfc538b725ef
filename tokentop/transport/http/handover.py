"""Results from another thread to an event loop, several at once: to wake it for each costs more."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic

from tokentop.light_typing import Any

GATHER_S = 0.02  # that a result may wait for others; when it came is known


class Handover:
    """Settles futures of one loop: `to` is called on the loop, all else on one other thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: list[tuple[asyncio.Future[Any], Any]] = []
        self._since = 0.0  # the first of them

    def to(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop whose futures will be settled."""
        self._loop = loop

    def add(self, future: "asyncio.Future[Any]", result: object) -> None:
        """Settle this one, too, with the next `flush`."""
        if not self._ready:
            self._since = monotonic()
        self._ready.append((future, result))

    @property
    def wait_s(self) -> float | None:
        """Seconds until what is ready is due; None where nothing is."""
        return max(0.0, self._since + GATHER_S - monotonic()) if self._ready else None

    def flush(self, *, complete: bool) -> None:
        """Wake the loop if something is due; where they are `complete` everything is."""
        if not self._ready or not (complete or self.wait_s == 0.0):
            return
        ready, self._ready = self._ready, []
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(_settle, ready)


def _settle(ready: "Iterable[tuple[asyncio.Future[Any], Any]]") -> None:
    for future, result in ready:
        if not future.done():
            future.set_result(result)
