"""Smoothed latencies for the screen, where a figure that jitters at every poll is no use.

Only the full screen smooths; the text views and the JSON show the exact latency.
"""

from tokentop.domain.snapshot import Service, Snapshot
from tokentop.named_tuple import NamedTuple

_LATEST = 3  # answers; of these the median counts, so that one slow answer does not
_STEP_MS = 3.0
_STEP = 0.35

_Key = tuple[str, str, str | None]


class _Figure(NamedTuple):
    """The latest latencies, and the one that is shown; milliseconds."""

    latest: tuple[float, ...]
    shown: float

    def after(self, latency: float) -> "_Figure":
        # The same answer is folded again whenever another source's answer comes.
        same = self.latest[-1] == latency
        latest = self.latest if same else (*self.latest, latency)[-_LATEST:]
        median = sorted(latest)[(len(latest) - 1) // 2]
        moved = abs(median - self.shown) > max(_STEP_MS, _STEP * self.shown)
        return _Figure(latest, median if moved else self.shown)


class LatencySmoother:
    """Keeps each service's shown latency until the median has moved by more than a step."""

    def __init__(self) -> None:
        self._figures: dict[_Key, _Figure] = {}

    def smoothed(self, snapshot: Snapshot) -> Snapshot:
        """`snapshot` with the latencies to show."""
        before, self._figures = self._figures, {}
        return snapshot._replace(services=tuple(self._one(s, before) for s in snapshot.services))

    def _one(self, service: Service, before: dict[_Key, _Figure]) -> Service:
        key, latency = (service.kind, service.name, service.url), service.latency_ms
        if latency is None:
            return service
        old = before.get(key, _Figure((latency,), latency))
        self._figures[key] = figure = old.after(latency)
        return service._replace(latency_ms=figure.shown)
