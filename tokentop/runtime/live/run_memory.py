"""What a run of the screen or the service remembers, and what of it outlasts the run."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tokentop.config.schema import AlertsConfig, Config
from tokentop.domain.alerts.values import Change
from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.events.log import EventLog
from tokentop.domain.history import History, sample_of
from tokentop.domain.past import PastError, Stretch
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.verdict.values import Event
from tokentop.runtime.alerts import Alerting
from tokentop.runtime.live.kept_history import KeptHistory

LAST_HOUR_S = 3600.0


class RunMemory:
    """The last hour, the engines' rounds, events and alerts, and the history store."""

    def __init__(self, config: Config, host: str) -> None:
        self.history = History()
        self.engines = EngineHistory()
        self.events = EventLog()
        self.alerting = Alerting(config, host)
        self.kept = KeptHistory(config, host)
        self._sampled_at = self._sampled_wall = float("-inf")

    def add(
        self, snapshot: Snapshot, now: float, wall: float, interval_s: float, alerts: AlertsConfig
    ) -> tuple[Event, ...]:
        """Keep one sample a round, which later answers replace, and return what has changed.

        `now` is monotonic seconds, `wall` the same moment in Unix seconds.
        """
        if now - self._sampled_at >= 0.6 * interval_s:
            self._sampled_at, self._sampled_wall = now, wall
        sample = sample_of(snapshot, self._sampled_at)
        self.history.add(sample)
        self.kept.add(sample, self._sampled_wall)
        if snapshot.engines:
            self.engines.add(self._sampled_at, snapshot.engines)
        return self.events.add(self.alerting.follow(snapshot, now, alerts), now)

    async def begin(
        self,
        notify: Callable[[str], object],
        ring: Callable[[Change], object],
        now: float,
        wall: float,
    ) -> None:
        """Act on alerts and keep what is added, from now on; go on from an earlier run's hour.

        `notify` gets a sentence where something goes wrong, `ring` the changes of alerts that the
        terminal shows; both on the running loop.
        """
        loop = asyncio.get_running_loop()

        def report(sentence: str) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(notify, sentence)

        self.alerting.begin(report, ring)
        if self.kept.start(report):
            with suppress(PastError):  # the writer finds the same and reports it
                before = await self.kept.past(Stretch(wall - LAST_HOUR_S, wall), now, wall)
                self.history.prepend(before.mean)
