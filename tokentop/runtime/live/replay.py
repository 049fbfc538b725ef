"""The screen's session where a recording is played: its clock is the recording's own."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from tokentop.config.schema import Config
from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.events.log import EventLog
from tokentop.domain.history import History, sample_of
from tokentop.domain.past import POINTS, Past
from tokentop.domain.past import Stretch as Period
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_decode import loads
from tokentop.domain.timeline import Stretch, Timeline, slices
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.live.ledger import NoLedger
from tokentop.runtime.live.onlooker import Onlooker
from tokentop.runtime.live.spawn import Spawn
from tokentop.transport.recording.reader import Place, Recording

if TYPE_CHECKING:
    from tokentop.config.reload import Reloader

TICK_S = 0.25
SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
PAST_S = 3600.0
MOST_PAST = 180  # snapshots of the hour before, from which charts and events are made


class Before(NamedTuple):
    """What charts, trends and events are made of at a moment."""

    history: History
    engine_history: EngineHistory
    event_log: EventLog


class ReplaySession(Onlooker):
    """Plays a recording; `now()` and `wall()` are the moment that is shown, in Unix seconds.

    `on_change` is called on the loop with each snapshot and its moment.
    """

    frozen_at = None
    not_ended = "a recording is played: there is nothing to end"

    def __init__(
        self,
        config: Config,
        recording: Recording,
        on_change: Callable[[Snapshot, float], object],
    ) -> None:
        super().__init__(config, on_change)
        self.ledger = NoLedger("a recording holds sums, and no entries", "This was then")
        self.playing = True
        self.speed = 1.0
        self._recording = recording
        self._first, self._last = recording.first_ms / 1000, recording.last_ms / 1000
        frames = (Stretch(f.first_ms / 1000, f.last_ms / 1000, f.tiers) for f in recording.frames)
        self._tiers = slices(frames, self._first, self._last)
        self._at = self._first
        self._advanced = time.monotonic()
        self._jumped = asyncio.Event()
        self._place = Place(0, 0)
        self._snapshot = Snapshot()
        self._take(self._place)

    # -- the clock

    @property
    def interval_s(self) -> float:
        return self._snapshot.interval_s

    def now(self) -> float:
        return self._at

    def wall(self) -> float:
        return self._at

    @property
    def timeline(self) -> Timeline:
        return Timeline(self._first, self._last, self._at, self._tiers, self.playing, self.speed)

    def snapshot(self) -> Snapshot:
        """The snapshot of the moment that is shown."""
        return self._snapshot

    # -- playing

    async def start(
        self,
        spawn: Spawn,
        reloader: "Reloader | None" = None,  # noqa: ARG002  # nothing is polled
        notify: Callable[[str], object] = str,
        announce: Callable[[Sequence[Event]], object] = len,
    ) -> None:
        """Play from here on; `notify` and `announce` as a Session's."""
        self.say(notify, announce)
        if self._recording.damaged:
            notify(f"{self._recording.damaged:,} bytes of the recording are damaged and left out")
        self._advanced = time.monotonic()
        spawn(self._play(), name="replay", group="replay", exclusive=True)
        spawn(self._remember(), name="replay history", group="replay history", exclusive=True)

    async def _play(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            passed, self._advanced = time.monotonic() - self._advanced, time.monotonic()
            if self.playing:
                self.advance(passed)

    def advance(self, passed_s: float) -> None:
        """Let so many real seconds pass."""
        self._at = min(self._last, self._at + passed_s * self.speed)
        place = self._recording.find(self._at * 1000)
        if place != self._place:
            self._show(place)
        if self._at >= self._last:
            self.playing = False
            self._notify("This is the end of the recording")

    def pause(self) -> None:
        """Pause, or play on; at the end from the beginning."""
        if not self.playing and self._at >= self._last:
            self.seek(self._first)
        self.playing = not self.playing

    def step(self, count: int) -> None:
        """Pause at the snapshot so many further."""
        self.playing = False
        place = self._recording.moved(self._place, count)
        if (row := self._recording.at(place)) is not None:
            self._at = row[0] / 1000
            self._show(place)

    def faster(self, step: int) -> None:
        """The next higher (+1) or lower (-1) speed."""
        place = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, place))]

    def seek(self, at: float) -> None:
        """Go on from that moment, Unix seconds, or the nearest end of the recording."""
        self._at = min(self._last, max(self._first, at))
        self._show(self._recording.find(self._at * 1000))
        self._jumped.set()

    def _show(self, place: Place) -> None:
        back = place < self._place
        if self._take(place):
            if back:
                self._sampled_at = float("-inf")
            fresh = self._sample(self._snapshot, self._at)
            self._on_change(self._snapshot, self._at)
            if fresh:
                self._announce(fresh)

    def _take(self, place: Place) -> bool:
        """Make the snapshot there the one that is shown; whether it can be read."""
        row = self._recording.at(place)
        snapshot = None if row is None else loads(row[1])
        self._place = place
        if snapshot is None:
            return False
        self._snapshot = snapshot
        return True

    # -- what lies before the moment that is shown

    async def _remember(self) -> None:
        """After each jump make charts, trends and events anew, beside the loop."""
        while True:
            await self._jumped.wait()
            self._jumped.clear()
            with suppress(RuntimeError):  # no thread to be had
                place = self._place
                before = await asyncio.to_thread(self._before, self._at)
                if not self._jumped.is_set():
                    self.history, self.engine_history, self.event_log = before
                    if self._place != place:  # it played on meanwhile
                        self._sample(self._snapshot, self._at)
                    self._on_change(self._snapshot, self._at)

    def _before(self, at: float) -> Before:
        """At most MOST_PAST snapshots of the hour before `at`, evenly spread."""
        found = Before(History(), EngineHistory(), EventLog())
        step = max(self.interval_s, min(PAST_S, at - self._first) / MOST_PAST)
        for moment, snapshot in self._spread(at, step, MOST_PAST):
            found.history.add(sample_of(snapshot, moment))
            found.engine_history.add(moment, snapshot.engines)
            found.event_log.add(snapshot, moment)
        return found

    async def past(self, stretch: Period) -> Past:
        """What was recorded of a stretch: the snapshot at each of its slices."""
        with suppress(RuntimeError):  # no thread to be had
            return await asyncio.to_thread(self._past, stretch)
        return Past()

    def _past(self, stretch: Period) -> Past:
        found = self._spread(stretch.end, stretch.slice_s, POINTS)
        samples = tuple(sample_of(snapshot, moment) for moment, snapshot in found)
        return Past(samples, samples, samples)

    def _spread(self, last: float, step: float, most: int) -> Iterator[tuple[float, Snapshot]]:
        """The snapshots of so many steps before `last`, and of `last`, each once, oldest first."""
        place = None
        for number in range(most, -1, -1):
            if (moment := last - number * step) < self._first:
                continue
            before, place = place, self._recording.find(moment * 1000)
            row = self._recording.at(place) if place != before else None
            snapshot = None if row is None else loads(row[1])
            if row is not None and snapshot is not None:
                yield row[0] / 1000, snapshot
