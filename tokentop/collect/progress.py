"""What an engine's counters gained: its rates, its latencies, and what the next call needs."""

from collections import deque
from collections.abc import Mapping

from tokentop.domain.engines.observation import Latency, latency
from tokentop.domain.engines.rates import LATENCY_WINDOW_S, Rates, RateTracker
from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.engines.saved_counters import dump, restore

SAVED_APART_S = 8.0  # readings closer together add nothing for the next call
MAX_SAVED = 64


class EngineProgress:
    """The counted readings of one engine; times are monotonic seconds passed in."""

    def __init__(self) -> None:
        self.rates = Rates()
        self.latency: Latency | None = None
        self._tracker = RateTracker()
        self._saved: deque[tuple[float, EngineReading]] = deque()
        self._moved: tuple[float, float | None, float | None] | None = None  # when, how far

    def add(self, reading: EngineReading, now: float) -> None:
        """Count one reading."""
        self._tracker.add(reading, now)
        self.rates = self._tracker.rates()
        self.latency = latency(self.rates)
        told = reading.counters.generation_tokens, reading.counters.prompt_tokens
        standing = reading.active and told != (None, None)
        if self._moved is None or not standing or told != self._moved[1:]:
            self._moved = (now, *told)
        self._save(reading, now)

    def clear_rates(self) -> None:
        """After a reading that does not count: what was measured before is not of now."""
        self.rates, self.latency, self._moved = Rates(), None, None

    def stuck_s(self, good_at: float | None) -> float:
        """For how long requests have run without any counter moving, at the last reading."""
        return good_at - self._moved[0] if good_at and self._moved else 0.0

    def dump(self, kind: EngineKind | None) -> dict[str, object]:
        """The readings of the last minute as plain JSON values."""
        readings = [dump(reading, at) for at, reading in self._saved if reading.kind == kind]
        return {"readings": readings, "moved": self._moved}

    def restore(
        self, saved: Mapping[str, object], kind: EngineKind | None, now: float
    ) -> EngineKind | None:
        """Take an earlier call's readings, at most a minute old; returns the kind they are of."""
        match saved.get("moved"):
            case [int() | float() as at, tokens, prompt] if at <= now:
                self._moved = (float(at), _number(tokens), _number(prompt))
        readings = saved.get("readings")
        rows = readings[:MAX_SAVED] if isinstance(readings, list) else []
        found = [pair for each in rows if (pair := restore(each)) is not None]
        for at, reading in sorted(found, key=lambda pair: pair[0]):
            if 0.0 < now - at <= LATENCY_WINDOW_S and reading.kind == (kind or reading.kind):
                kind = reading.kind
                self._tracker.add(reading, at)
                self._save(reading, at)
        return kind

    def _save(self, reading: EngineReading, now: float) -> None:
        if len(self._saved) > 1 and self._saved[-1][0] - self._saved[-2][0] < SAVED_APART_S:
            self._saved.pop()
        self._saved.append((now, reading))
        while now - self._saved[0][0] > LATENCY_WINDOW_S:
            self._saved.popleft()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
