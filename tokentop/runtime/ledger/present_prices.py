"""The prices of the moment, handed from the thread that polls to the one that books."""

from tokentop.config.schema import Config
from tokentop.domain.economy.live_prices import live_prices
from tokentop.domain.economy.valuation import Live
from tokentop.domain.snapshot import Snapshot


class PresentPrices:
    """Those of the newest snapshot; before the first one, and where a source is missing, unknown.

    What is handed over is one frozen value, so no lock is needed.
    """

    def __init__(self) -> None:
        self._newest = Live()

    def take(self, config: Config, snapshot: Snapshot) -> None:
        """Follow a new snapshot, with the configuration in force."""
        self._newest = live_prices(config.policy.cost, snapshot)

    def now(self) -> Live:
        return self._newest
