"""The providers as one table: where each listens, and the two lists that are asked for.

Every row is a GET: there is no way from here to rent, change or end anything.
"""

from collections.abc import Callable

from tokentop.domain.readings import InstancesReading, OffersReading
from tokentop.named_tuple import NamedTuple
from tokentop.sources.offers import lambda_cloud, runpod, vast

PAUSE_S = 300.0  # between two requests for one list
TIMEOUT_S = 10.0  # a search over a whole market takes seconds


class OfferList(NamedTuple):
    """One list of `provider`: GET `path`; `parse` raises BadData and nothing else."""

    provider: str
    name: str
    path: str
    parse: Callable[[bytes], OffersReading | InstancesReading]

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.name}"

    def path_for(self, vram_gb: float | None) -> str:
        """The path where GPUs of that size are wanted: one market is too large to list whole."""
        return vast.offers_path(vram_gb) if self.key == "vast/offers" else self.path


LISTS: tuple[OfferList, ...] = (
    OfferList("vast", "offers", vast.offers_path(), vast.parse_offers),
    OfferList("vast", "instances", vast.INSTANCES_PATH, vast.parse_instances),
    OfferList("runpod", "offers", runpod.OFFERS_PATH, runpod.parse_offers),
    OfferList("runpod", "instances", runpod.INSTANCES_PATH, runpod.parse_instances),
    OfferList("lambda", "offers", lambda_cloud.OFFERS_PATH, lambda_cloud.parse_offers),
    OfferList("lambda", "instances", lambda_cloud.INSTANCES_PATH, lambda_cloud.parse_instances),
)
