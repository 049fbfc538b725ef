"""What the screen knows besides the snapshot: the clock, the last hour, the run's events."""

import time
from abc import ABC, abstractmethod
from datetime import datetime

from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.events.log import EventLog
from tokentop.domain.history import History, Sample, sample_of
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Event

LAST_HOUR_S = 3600.0


class Recent(ABC):
    """Made from each snapshot in turn. `frozen_at` is the frozen demo's moment, seconds."""

    def __init__(self, frozen_at: float | None = None, wall_began: float = 0.0) -> None:
        self.frozen_at = frozen_at
        self._wall_began = wall_began
        self.history = History()
        self.engine_history = EngineHistory()
        self.event_log = EventLog()
        self._sampled_at = self._sampled_wall = float("-inf")

    @property
    @abstractmethod
    def interval_s(self) -> float:
        """Seconds between two snapshots."""

    @property
    def frozen(self) -> bool:
        """Whether the demo is frozen: nothing will change."""
        return self.frozen_at is not None

    @property
    def searched(self) -> tuple[int, int]:
        """The addresses that the last search for engines tried, and how many candidates it had."""
        return 0, 0  # where no search is made here

    @property
    def records(self) -> bool:
        """False while a recording that is wanted cannot be written."""
        return True

    def now(self) -> float:
        """Monotonic seconds; the frozen demo's moment where it is frozen."""
        return time.monotonic() if self.frozen_at is None else self.frozen_at

    def wall(self) -> float:
        """Unix seconds for display."""
        return time.time() if self.frozen_at is None else self._wall_began + self.frozen_at

    def local_time(self) -> time.struct_time:
        """Local time for display; the frozen demo's is the same in every time zone."""
        return self.local(self.wall())

    def events(self, until: str | None = None) -> tuple[tuple[str, Event], ...]:
        """The run's events up to `until` (RFC 3339 UTC), oldest first, each with its local time."""
        today = self._day(self.wall())
        return tuple(
            (self._clock(event.at, today), event) for event in self.event_log.events(until)
        )

    def samples(self, until: float | None = None) -> tuple[Sample, ...]:
        """The hour before a monotonic second, before now where none is given; oldest first."""
        return self.history.window(self.now() if until is None else until, LAST_HOUR_S)

    def _sample(self, snapshot: Snapshot, now: float) -> tuple[Event, ...]:
        """Keep one sample a round, which later answers replace, and return what has changed."""
        if now - self._sampled_at >= 0.6 * self.interval_s:
            self._sampled_at, self._sampled_wall = now, self.wall()
        sample = sample_of(snapshot, self._sampled_at)
        self.history.add(sample)
        self._keep_sample(sample)
        if snapshot.engines:
            self.engine_history.add(self._sampled_at, snapshot.engines)
        return self.event_log.add(snapshot, now)

    def _keep_sample(self, sample: Sample) -> None:  # noqa: B027  # not all keep it
        """Keep it beyond this run, where that is wanted."""

    def _clock(self, at: str, today: str) -> str:
        wall = datetime.fromisoformat(at).timestamp()
        day = self._day(wall)
        return time.strftime("%H:%M:%S" if day == today else f"{day} %H:%M", self.local(wall))

    def _day(self, wall: float) -> str:
        return time.strftime("%m-%d", self.local(wall))

    def local(self, wall: float) -> time.struct_time:
        """Unix seconds as local time."""
        return time.gmtime(wall) if self.frozen else time.localtime(wall)
