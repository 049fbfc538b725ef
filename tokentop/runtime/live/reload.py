"""The configuration file watched from the full screen: a flipped switch holds at the next poll."""

from collections.abc import Callable

from tokentop.collect.collector import Collector
from tokentop.config.load import ConfigError
from tokentop.config.reload import Reloader
from tokentop.config.schema import Config

IN_FORCE = "The configuration was read again."
RESTART = "Prices, thresholds and budgets were read again; the rest takes effect at the next start."


class ConfigReloader:
    """`look` may block, as the file may lie on a slow disk; it gives what has changed to `changed`.

    That is to have `take` called where the collector lives.
    """

    def __init__(self, again: Reloader, collector: Collector, say: Callable[[str], object]) -> None:
        self._again = again
        self._collector = collector
        self._say = say

    def look(self, changed: Callable[[Config | ConfigError], object]) -> None:
        """Look whether the file has changed since the last look."""
        if (found := self._again.poll()) is not None:
            changed(found)

    def take(self, changed: Config | ConfigError) -> None:
        """Take over what may change while running, and say what happened."""
        if isinstance(changed, ConfigError):
            self._say(f"The configuration is left as it was: {str(changed).splitlines()[0]}")
        else:
            self._say(IN_FORCE if self._collector.apply_policy(changed) else RESTART)
