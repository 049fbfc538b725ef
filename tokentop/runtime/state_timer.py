"""The state of a program that stays: left for the one-shot views, and taken from them.

They answer from its snapshot while that is fresh (runtime/shared_snapshot.py). Those that come
between two snapshots, or after its end, poll for themselves and need what it knew, as it needs what
they knew before its start: without it an engine that has just died never was.
"""

from collections.abc import Mapping

from tokentop.collect.collector import Collector

EVERY_S = 60.0
MOST_ENGINES = 100  # to write one down takes 0.15 ms, of the loop that draws


class StateTimer:
    """Every minute, and whenever an engine has begun to serve or is gone."""

    def __init__(self) -> None:
        self._left_at = float("-inf")
        self._known: tuple[str, ...] = ()

    def due(self, collector: Collector, now: float) -> dict[str, object] | None:
        """The state, if it is to be left now; `now` is monotonic seconds."""
        known = collector.engines().read_ids() if collector.has_engines else ()
        if now - self._left_at < EVERY_S and known == self._known:
            return None
        self._left_at, self._known = now, known
        return state_of(collector)


def state_of(collector: Collector) -> dict[str, object] | None:
    """The state of now; None with so many engines that it would hold up the screen."""
    known = collector.engines().ids() if collector.has_engines else ()
    return collector.dump() if len(known) <= MOST_ENGINES else None


def go_on(collector: Collector, state: Mapping[str, object], now: float) -> None:
    """Take what was left before the first poll; of more engines than one leaves, nothing."""
    engines = state.get("engines")
    if state and (not isinstance(engines, dict) or len(engines) <= MOST_ENGINES):
        collector.restore(state, now)
