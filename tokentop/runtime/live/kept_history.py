"""The history store beside the screen's event loop: nothing here waits for a disk."""

import asyncio
from collections.abc import Callable
from functools import partial

from tokentop.config.schema import Config
from tokentop.domain.history import Sample
from tokentop.domain.past import Past, Stretch
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime import history
from tokentop.runtime.live.spawn import on_loop

if TYPE_CHECKING:
    from tokentop.transport.history.writer import HistoryWriter


class KeptHistory:
    """One host's store: kept from `start` on, and readable all the time."""

    def __init__(self, config: Config, host: str) -> None:
        self._config = config
        self._host = host
        self._writer: HistoryWriter | None = None

    def start(self, notify: Callable[[str], object]) -> bool:
        """Keep what is added from now on; whether there is a store at all.

        `notify` gets a sentence where something goes wrong, on the running loop.
        """
        self._writer = history.writer(self._config, self._host, on_loop(notify))
        return self._writer is not None

    def add(self, sample: Sample, wall: float) -> None:
        """Keep a sample that was taken at `wall`, Unix seconds."""
        if self._writer is not None:
            self._writer.add(sample._replace(t=wall))

    async def stored(self, stretch: Stretch, now: float, wall: float) -> Past:
        """What is kept of a stretch of Unix seconds; its samples' `t` is monotonic.

        `now` and `wall` are this moment on both clocks. Raises PastError where it cannot be read.
        """
        read = partial(history.stored, self._config, self._host, stretch, wall)
        return (await asyncio.to_thread(read)).moved(now - wall)

    async def past(self, stretch: Stretch, now: float, wall: float) -> Past:
        """The same with what a Prometheus server that is configured knows besides."""
        read = partial(history.past, self._config, self._host, stretch, wall)
        return (await asyncio.to_thread(read)).moved(now - wall)

    def stop(self) -> None:
        """Write what is pending, before the process ends."""
        if self._writer is not None:
            self._writer.stop(history.STOP_S)
