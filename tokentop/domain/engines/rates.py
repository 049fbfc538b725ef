"""Counters to rates: differences of two readings of one engine, never across a restart.

Times are monotonic seconds passed in. A counter that fell, or a changed start time, begins a new
baseline: nothing is known until the next reading.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from tokentop.domain.engines.quantiles import difference
from tokentop.domain.engines.readings import Counters, EngineReading, Histogram, SlotProgress

RATE_WINDOW_S = 12.0  # tokens/s: long enough that counters which move at request end don't jump
LATENCY_WINDOW_S = 60.0
MAX_SLOTS = 4096
SHORTEST_S = 0.01  # readings closer together tell no rate
STALE_GAP_S = 120.0  # readings further apart say nothing about now


class Rates(NamedTuple):
    """Per second over the last readings, and what was counted over the last minute."""

    prompt_tokens_per_s: float | None = None
    generation_tokens_per_s: float | None = None
    requests_per_s: float | None = None
    ttft: Histogram | None = None  # the last minute's observations
    itl: Histogram | None = None
    window: Counters = Counters()  # what the counters gained over the last minute
    # slots went on to other tasks meanwhile: what the old ones ended with was not seen
    at_least: bool = False


class _Mark(NamedTuple):
    at: float
    counters: Counters
    ttft: Histogram | None
    itl: Histogram | None
    partial: bool = False


class RateTracker:
    """The last minute of one engine's counters."""

    __slots__ = ("_epoch", "_known", "_live", "_marks", "_slots")

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()
        self._epoch: float | None = None
        self._known = Counters()  # each as it was last told: some readings leave one out
        self._slots: dict[str, SlotProgress] = {}  # the last known of each slot, by its place
        self._live = (0.0, 0.0)  # prompt and generated tokens seen in slots

    def add(self, reading: EngineReading, now: float) -> None:
        """Take one reading; readings that come late or from before are a new baseline."""
        partial = any(self._moved_on(slot) for slot in reading.slots or ())
        mark = _Mark(now, self._counters(reading), reading.ttft, reading.itl, partial)
        if self._marks and self._restarted(mark, reading.epoch):
            self._marks.clear()
            self._known = Counters()
        self._known = _latest(mark.counters, self._known)
        self._epoch = reading.epoch
        self._marks.append(mark)
        while len(self._marks) > 2 and now - self._marks[1].at >= LATENCY_WINDOW_S:
            self._marks.popleft()

    def rates(self) -> Rates:
        """What the kept readings say; all None until there are two."""
        if len(self._marks) < 2:
            return Rates()
        last, first = self._marks[-1], self._marks[0]
        recent = next(m for m in self._marks if last.at - m.at <= RATE_WINDOW_S or m is last)
        if recent is last:
            recent = self._marks[-2]
        gained, span = _gained(last.counters, recent.counters), last.at - recent.at
        return Rates(
            _per_second(gained.prompt_tokens, span),
            _per_second(gained.generation_tokens, span),
            _per_second(gained.requests, span),
            _observed(last.ttft, self._first_with(lambda m: m.ttft)),
            _observed(last.itl, self._first_with(lambda m: m.itl)),
            _gained(last.counters, first.counters),
            any(m.partial for m in self._marks if m.at > recent.at),
        )

    def _first_with(self, part: Callable[[_Mark], Histogram | None]) -> Histogram | None:
        """The oldest of the kept; several engines create a histogram at the first request."""
        return next((found for mark in self._marks if (found := part(mark)) is not None), None)

    def _restarted(self, mark: _Mark, epoch: float | None) -> bool:
        last = self._marks[-1]
        if not 0 < mark.at - last.at <= STALE_GAP_S:
            return True
        if epoch is not None and self._epoch is not None and epoch != self._epoch:
            return True
        pairs = zip(mark.counters, self._known, strict=True)
        return any(new is not None and old is not None and new < old for new, old in pairs)

    def _counters(self, reading: EngineReading) -> Counters:
        if reading.slots is None:
            return reading.counters
        if len(self._slots) > MAX_SLOTS:
            self._slots.clear()
        prompt, generated = self._live
        for slot in reading.slots:
            before = self._before(slot)
            prompt += max(0, slot.prompt - before.prompt)
            generated += max(0, slot.generated - before.generated)
        self._slots.update((_place(slot), slot) for slot in reading.slots)
        self._live = (prompt, generated)
        return reading.counters._replace(prompt_tokens=prompt, generation_tokens=generated)

    def _last(self, slot: SlotProgress) -> SlotProgress:
        return self._slots.get(_place(slot), slot)

    def _moved_on(self, slot: SlotProgress) -> bool:
        return self._last(slot).task != slot.task

    def _before(self, slot: SlotProgress) -> SlotProgress:
        """Where the slot's task stood when last seen; in a slot never seen, nothing is gained."""
        last = self._last(slot)
        return last if last.task == slot.task else SlotProgress(slot.task, 0)


def _place(slot: SlotProgress) -> str:
    return slot.task.rpartition("/")[0]


def _latest(new: Counters, old: Counters) -> Counters:
    return Counters(*(o if n is None else n for n, o in zip(new, old, strict=True)))


def _gained(new: Counters, old: Counters) -> Counters:
    pairs = zip(new, old, strict=True)
    return Counters(*(None if n is None or o is None else n - o for n, o in pairs))


def _per_second(gained: float | None, span: float) -> float | None:
    return None if gained is None or span < SHORTEST_S else gained / span


def _observed(newer: Histogram | None, older: Histogram | None) -> Histogram | None:
    return None if newer is None or older is None else difference(newer, older)
