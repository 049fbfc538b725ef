"""The prices of the moment, for entries that are valued by them while serving."""

from tokentop.config.schema import Config
from tokentop.domain.economy.live_prices import live_prices
from tokentop.domain.economy.valuation import Live
from tokentop.domain.snapshot import Snapshot


class Moment:
    """The latest snapshot and the configuration in force; set and read on different threads."""

    def __init__(self, config: Config) -> None:
        self._latest = config, Snapshot()

    def follow(self, config: Config, snapshot: Snapshot) -> None:
        """Take the newest snapshot."""
        self._latest = config, snapshot

    def prices(self) -> Live:
        config, snapshot = self._latest
        return live_prices(config.policy.cost, snapshot)
