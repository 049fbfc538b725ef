"""Latencies that stand still while nothing happens: a figure that flickers says nothing.

Only what is drawn is steadied; the snapshot of the text views and the JSON is exact.
"""

from typing import NamedTuple

from tokentop.domain.snapshot import Service, Snapshot

_LATEST = 3  # a single slow answer is no news
_STEP_MS = 3.0
_STEP = 0.35

_Key = tuple[str, str, str | None]


class _Figure(NamedTuple):
    """The latest latencies, and the one that is shown; milliseconds."""

    seen: tuple[float, ...]
    shown: float

    def after(self, latency: float) -> "_Figure":
        # The same answer is folded again whenever another source's answer comes.
        seen = self.seen if self.seen[-1] == latency else (*self.seen, latency)[-_LATEST:]
        usual = sorted(seen)[(len(seen) - 1) // 2]
        moved = abs(usual - self.shown) > max(_STEP_MS, _STEP * self.shown)
        return _Figure(seen, usual if moved else self.shown)


class LatencySmoother:
    """Holds each service's shown latency until it has really become another one."""

    def __init__(self) -> None:
        self._figures: dict[_Key, _Figure] = {}

    def smoothed(self, snapshot: Snapshot) -> Snapshot:
        """The same, with the latencies that are to be shown."""
        before, self._figures = self._figures, {}
        return snapshot._replace(services=tuple(self._one(s, before) for s in snapshot.services))

    def _one(self, service: Service, before: dict[_Key, _Figure]) -> Service:
        key, latency = (service.kind, service.name, service.url), service.latency_ms
        if latency is None:
            return service
        old = before.get(key, _Figure((latency,), latency))
        self._figures[key] = figure = old.after(latency)
        return service._replace(latency_ms=figure.shown)
