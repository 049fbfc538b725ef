"""GPU time of the requests that arrive, while the thread that polls follows the engines."""

from collections.abc import Iterable
from threading import Lock

from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.gpu_time import GpuTime
from tokentop.domain.snapshot import Snapshot


class Measuring:
    """A GpuTime for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._time = GpuTime()

    def follow(self, snapshot: Snapshot, now_us: int) -> None:
        """Take a snapshot; `now_us` is Unix microseconds."""
        with self._lock:
            self._time.follow(snapshot, now_us)

    def measured(self, events: Iterable[UsageEvent]) -> tuple[UsageEvent, ...]:
        """The events, with the GPU time of those that engines of this host served."""
        with self._lock:
            return tuple(map(self._time.measured, events))
