"""How many requests an engine can run at once, and where that number came from."""

from tokentop.domain.engines.readings import SlotsSource
from tokentop.sources.engines.protocol import Hints

KV_FULL = 0.95  # above it waiting requests prove nothing about the seats
SIGHTINGS = 3  # readings that must agree that requests wait before the bound is shown


class ObservedSlots:
    """A lower bound of the seats: the most requests seen running while others had to wait.

    Waiting alone does not prove that the seats are full, the KV cache can be; so readings with a
    full cache don't count, one reading never decides, and 0 is no bound.
    """

    __slots__ = ("_most", "_sightings")

    def __init__(self) -> None:
        self._most = 0
        self._sightings = 0

    def see(self, active: int | None, queued: int | None, kv_cache: float | None) -> None:
        if active and queued and (kv_cache is None or kv_cache < KV_FULL):
            self._most = max(self._most, active)
            self._sightings += 1

    def lower_bound(self) -> int | None:
        return self._most if self._sightings >= SIGHTINGS else None


def best_slots(
    reported: int | None, hints: Hints, derived: int | None
) -> tuple[int | None, SlotsSource | None]:
    """The best known capacity: the server's word, its command line, the user's, else derived."""
    candidates: tuple[tuple[int | None, SlotsSource], ...] = (
        (reported, "reported"),
        (hints.argv_slots, "argv"),
        (hints.configured_slots, "configured"),
        (derived, "derived"),
    )
    return next(((slots, source) for slots, source in candidates if slots), (None, None))
