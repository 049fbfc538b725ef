"""How fast a budget is spent: the greater of the last five minutes' and the last hour's mean."""

from tokentop.domain.ledger.event import HOUR_US, MINUTE_US

SLOT_US = 10_000_000
WINDOWS_US = (5 * MINUTE_US, HOUR_US)
MOST_SLOTS = 10_000  # a day ahead, where a feed's clock is wrong, and the last hour


class Burn:
    """Amounts of the last hour in slots of ten seconds, so that memory is flat under any load."""

    def __init__(self) -> None:
        self._slots: dict[int, tuple[int, int]] = {}  # the amount, the requests without one

    def add(self, at_us: int, amount: int, unknown: int = 0) -> None:
        """Count what was spent at a moment; `unknown` is the number of requests without amount."""
        slot = at_us // SLOT_US
        before = self._slots.get(slot, (0, 0))
        self._slots[slot] = (before[0] + amount, before[1] + unknown)
        if len(self._slots) > 2 * MOST_SLOTS:
            self._forget(sorted(self._slots)[-MOST_SLOTS])

    def per_hour(self, now_us: int) -> float | None:
        """The present rate an hour; None where requests of the last hour have no known amount."""
        if not self._slots:
            return 0.0
        first = (now_us - HOUR_US) // SLOT_US
        self._forget(first)
        lately = [slot for slot in self._slots if slot <= now_us // SLOT_US]
        amount, unknown = (sum(self._slots[slot][which] for slot in lately) for which in (0, 1))
        if unknown > 0 and amount == 0:
            return None
        return max(0.0, *(self._mean(now_us, window) for window in WINDOWS_US))

    def _mean(self, now_us: int, window_us: int) -> float:
        """The amount an hour of the slots in a window; its first slot counts whole."""
        first = (now_us - window_us) // SLOT_US
        last = now_us // SLOT_US
        amount = sum(kept[0] for slot, kept in self._slots.items() if first <= slot <= last)
        return amount * HOUR_US / (now_us - first * SLOT_US)

    def _forget(self, first: int) -> None:
        """Drop the slots before `first`."""
        self._slots = {slot: kept for slot, kept in self._slots.items() if slot >= first}
