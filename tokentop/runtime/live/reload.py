"""The configuration file watched from the full screen: a flipped switch holds at the next poll."""

import asyncio
from collections.abc import Callable

from tokentop.collect.collector import Collector
from tokentop.config.load import ConfigError
from tokentop.config.reload import Reloader

IN_FORCE = "The configuration was read again."
RESTART = "Prices, thresholds and budgets were read again; the rest takes effect at the next start."


class ConfigReloader:
    """Looks once a poll, on a worker thread: the file may lie on a slow disk."""

    def __init__(self, again: Reloader, collector: Collector, say: Callable[[str], object]) -> None:
        self._again = again
        self._collector = collector
        self._say = say

    async def look(self) -> None:
        """Take over what may change while running, and say what happened."""
        try:
            changed = await asyncio.to_thread(self._again.poll)
        except RuntimeError:  # no thread to be had; the next poll looks again
            return
        if isinstance(changed, ConfigError):
            self._say(f"The configuration is left as it was: {str(changed).splitlines()[0]}")
        elif changed is not None:
            self._say(IN_FORCE if self._collector.apply_policy(changed) else RESTART)
