"""The best throughput seen: tokens a second over full windows, never better than the truth.

A window is divided by the longest time its tokens can have taken: from before the request of the
first reading to the arrival of the last. So a late answer makes a figure lower, not higher.
"""

from collections import deque
from collections.abc import Iterable

from tokentop.domain.economy.cost_tokens import COUNTING
from tokentop.domain.snapshot_engines import Engine
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple

WINDOW_S = 30.0
# These count a request's tokens when it ends: a short window would hold the work of a longer one.
COUNTED_AT_END = ("tgi", "litellm")
WINDOW_AT_END_S = 60.0
KEPT_S = 600.0  # a caller that looks rarely has long windows


class _Point(NamedTuple):
    earliest: float  # the tokens had not all been counted before
    latest: float
    tokens: float


class BestThroughput:
    """The best of all windows up to now; times are monotonic seconds."""

    def __init__(self, best: float | None = None, points: Iterable[Iterable[float]] = ()) -> None:
        self.tokens_per_s = best
        self._points = deque(_Point(*point) for point in points)

    def add(self, engines: Iterable[Engine], gained: float, now: float, *, anew: bool) -> None:
        """Take what was gained since the last call; `anew`: no window may begin before now."""
        counted = [
            e
            for e in engines
            if e.tokens_seen is not None and e.age_s is not None and e.state in COUNTING
        ]
        if anew:
            self._points.clear()
        if not counted:
            return
        read = [now - (e.age_s or 0.0) for e in counted]
        asked = [at - (e.latency_ms or 0.0) / 1000.0 for at, e in zip(read, counted, strict=True)]
        so_far = (self._points[-1].tokens if self._points else 0.0) + gained
        point = _Point(min(asked), max(read), so_far)
        at_end = any(e.kind in COUNTED_AT_END for e in counted)
        self._take(point, WINDOW_AT_END_S if at_end else WINDOW_S)

    def dump(self) -> list[object]:
        """The best and its points as plain JSON values."""
        return [self.tokens_per_s, [list(point) for point in self._points]]

    @classmethod
    def restored(cls, saved: Any) -> "BestThroughput":
        """From what `dump` made.

        Raises TypeError or ValueError where it is something else.
        """
        best, points = saved
        return cls(None if best is None else float(best), [map(float, each) for each in points])

    def _take(self, point: _Point, window_s: float) -> None:
        start = next(
            (p for p in reversed(self._points) if point.latest - p.latest >= window_s), None
        )
        if start is not None:
            speed = (point.tokens - start.tokens) / (point.latest - start.earliest)
            if speed > 0:
                self.tokens_per_s = max(self.tokens_per_s or 0.0, speed)
        self._points.append(point)
        while len(self._points) > 2 and point.latest - self._points[1].latest >= window_s:
            self._points.popleft()
        if point.latest - self._points[0].latest > KEPT_S:
            self._points.popleft()
