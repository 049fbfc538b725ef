"""What an engine's counters gained: its rates, its latencies, and what the next call needs."""

from collections.abc import Mapping

from tokentop.domain.engines.observation import latencies
from tokentop.domain.engines.rates import Rates, RateTracker
from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.engines.saved_rates import dump, restore
from tokentop.domain.snapshot_engines import Latencies


class EngineProgress:
    """The counted readings of one engine; times are monotonic seconds passed in."""

    def __init__(self) -> None:
        self.rates = Rates()
        self.latencies: Latencies | None = None
        self._tracker = RateTracker()
        self._moved: tuple[float, float | None, float | None] | None = None  # when, how far

    def add(self, reading: EngineReading, now: float) -> None:
        """Count one reading."""
        self._tracker.add(reading, now)
        self._measure()
        told = reading.counters.generation_tokens, reading.counters.prompt_tokens
        standing = reading.active and told != (None, None)
        if self._moved is None or not standing or told != self._moved[1:]:
            self._moved = (now, *told)

    def clear(self) -> None:
        """After a reading that does not count: what was measured before is not of now."""
        self._tracker.clear()
        self._moved = None
        self._measure()

    def process_ended(self) -> None:
        """Nothing listens there, or its model is being loaded."""
        self._tracker.process_ended()

    def stuck_s(self, good_at: float | None) -> float:
        """For how long requests have run without any counter moving, at the last reading."""
        return good_at - self._moved[0] if good_at and self._moved else 0.0

    def dump(self) -> dict[str, object]:
        """The state of the measurement as plain JSON values."""
        return {"rates": dump(self._tracker), "moved": self._moved}

    def restore(self, saved: Mapping[str, object], now: float) -> None:
        """Go on from where an earlier call was; what is malformed is ignored."""
        match saved.get("moved"):
            case [int() | float() as at, tokens, prompt] if at <= now:
                self._moved = (float(at), _number(tokens), _number(prompt))
        rates = saved.get("rates")
        if isinstance(rates, Mapping):
            self._tracker = restore(rates, now)
            self.rates = self._tracker.rates()

    def _measure(self) -> None:
        self.rates = self._tracker.rates()
        self.latencies = latencies(self.rates.latencies)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
