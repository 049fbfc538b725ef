"""The events of one run."""

from collections import deque
from collections.abc import Iterable, Iterator

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Event, EventCode

MOST = 500
# What flickers is reported once in so many seconds for each member.
QUIET_S: dict[EventCode, float] = {
    "gpu_throttled": 300.0,
    "rejections": 60.0,
    "preemptions": 60.0,
    "engine_restarted": 60.0,
}
_RETURNED: tuple[EventCode, ...] = ("engine_back", "engine_ready", "engine_restarted")


class EventLog:
    """Compares each snapshot with the one before and keeps the newest MOST events."""

    def __init__(self) -> None:
        self._before: Snapshot | None = None
        self._kept: deque[Event] = deque(maxlen=MOST)
        self._reported: dict[tuple[EventCode, str | None], float] = {}

    def add(self, snapshot: Snapshot, now: float) -> tuple[Event, ...]:
        """The events since the snapshot before; none for the first. `now` is monotonic seconds."""
        before, self._before = self._before, snapshot
        if before is None:
            return ()
        from tokentop.domain.events.changes import changes  # not for the first picture

        fresh = tuple(self._new(changes(before, snapshot), now))
        self._kept.extend(fresh)
        if fresh:
            longest_s = max(QUIET_S.values())
            self._reported = {k: at for k, at in self._reported.items() if now - at < longest_s}
        return fresh

    def events(self, until: str | None = None) -> tuple[Event, ...]:
        """All that are kept, oldest first; those up to `until` (RFC 3339 UTC) where it is given."""
        return tuple(e for e in self._kept if until is None or e.at <= until)

    def _new(self, found: Iterable[Event], now: float) -> Iterator[Event]:
        for event in found:
            quiet_s = QUIET_S.get(event.code)
            if quiet_s is not None and now - self._last(event) < quiet_s:
                continue
            if quiet_s is not None or event.code in _RETURNED:
                self._reported[event.code, event.member] = now
            yield event

    def _last(self, event: Event) -> float:
        """When it was reported last; of an engine that restarted, also that it came back."""
        codes = _RETURNED if event.code == "engine_restarted" else (event.code,)
        times = (self._reported.get((code, event.member)) for code in codes)
        return max((at for at in times if at is not None), default=float("-inf"))
