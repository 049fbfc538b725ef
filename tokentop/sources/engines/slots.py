"""How many requests an engine can run at once, and where that number came from."""

from tokentop.domain.engines.readings import SlotsSource
from tokentop.sources.engines.protocol import Hints

KV_FULL = 0.95  # above it requests may wait for cache instead of slots
MIN_READINGS = 3  # with waiting requests, before the bound is shown


class ObservedSlots:
    """A lower bound of the slots: the most requests that ran while others had to wait.

    Waiting alone does not prove that the slots are full, the KV cache can be; so readings with a
    full cache don't count, one reading never decides, and 0 is no bound.
    """

    __slots__ = ("_most", "_readings")

    def __init__(self) -> None:
        self._most = 0
        self._readings = 0

    def add(self, active: int | None, queued: int | None, kv_cache: float | None) -> None:
        if active and queued and (kv_cache is None or kv_cache < KV_FULL):
            self._most = max(self._most, active)
            self._readings += 1

    def lower_bound(self) -> int | None:
        return self._most if self._readings >= MIN_READINGS else None


def best_slots(
    reported: int | None, hints: Hints, derived: int | None
) -> tuple[int | None, SlotsSource | None]:
    """The capacity by its best source: the server, its command line, the user, else derived."""
    candidates: tuple[tuple[int | None, SlotsSource], ...] = (
        (reported, "reported"),
        (hints.argv_slots, "argv"),
        (hints.configured_slots, "configured"),
        (derived, "derived"),
    )
    return next(((slots, source) for slots, source in candidates if slots), (None, None))
