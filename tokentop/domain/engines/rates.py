"""Counters to rates: what the label sets of one engine's counters gained over the last minute.

Times are monotonic seconds passed in. A changed start time, or a clock that steps, begins anew:
nothing is known until the next reading. Where several processes answer in turn nothing is told.
"""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from tokentop.domain.engines.baselines import (
    Baseline,
    Column,
    Counts,
    Gain,
    HistogramBaselines,
    Span,
)
from tokentop.domain.engines.readings import (
    Counters,
    EngineReading,
    Histogram,
    Histograms,
    LabelSets,
)
from tokentop.domain.engines.replicas import Replicas
from tokentop.domain.engines.slot_tokens import SlotTokens
from tokentop.domain.numbers import whole
from tokentop.domain.snapshot_engines import TokensSeen
from tokentop.named_tuple import NamedTuple

RATE_WINDOW_S = 12.0  # tokens/s: long enough that counters which move at request end don't jump
LATENCY_WINDOW_S = 60.0
SHORTEST_S = 0.01  # readings closer together tell no rate
STALE_GAP_S = 120.0  # readings further apart say nothing about now
APART_S = 1.0  # marks closer together are one

FIGURES = Counters._fields
PROMPT, GENERATED, REQUESTS = 0, 1, 2
SLOTS = "slots"  # the label set that their tasks' tokens are

Totals = tuple[float | None, ...]  # in the order of FIGURES


class Rates(NamedTuple):
    """Per second over the last readings, and what was counted over the last minute.

    `tokens_seen` were counted since the first reading. Both tokens/s are lower bounds where
    `at_least`. Where `several` processes answer in turn no rate is known.
    """

    prompt_tokens_per_s: float | None = None
    generation_tokens_per_s: float | None = None
    requests_per_s: float | None = None
    latencies: Histograms = Histograms()  # the last minute's observations
    window: Counters = Counters()  # what the counters gained over the last minute
    at_least: bool = False
    tokens_seen: TokensSeen | None = None
    several: bool = False


class Mark(NamedTuple):
    """What had been gained at one moment since the first reading."""

    at: float
    totals: Totals
    columns: dict[Column, Counts]
    partial: bool = False  # some tokens were not seen to be made


class RateTracker:
    """The last minute of one engine's counters."""

    __slots__ = (
        "baselines",
        "counted",
        "epoch",
        "histograms",
        "marks",
        "out_of_sight",
        "read_at",
        "replicas",
        "slots",
        "spans",
        "totals",
    )

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.read_at: float | None = None
        self.epoch: float | None = None
        self.totals: list[float | None] = [None] * len(FIGURES)
        self.counted: set[int] = set()  # the figures that were read twice
        self.out_of_sight = False  # whether tokens may have been made that no reading shows
        self.baselines = [Baseline() for _ in FIGURES]
        self.spans: list[Span | None] = [None] * len(FIGURES)
        self.histograms = HistogramBaselines()
        self.slots = SlotTokens()
        self.replicas = Replicas()

    def add(self, reading: EngineReading, now: float) -> None:
        """Take one reading; one that comes late or from before is a new baseline."""
        steps = self.read_at is not None and not 0.0 < now - self.read_at <= STALE_GAP_S
        if steps:
            self.replicas = Replicas()
        sets, missed = self._sets(reading, now)
        returned = self.replicas.add(reading.epoch, sets, now)
        restarted = None not in (self.epoch, reading.epoch) and self.epoch != reading.epoch
        if steps or restarted or self.replicas.several(now):
            self.clear()
        for figure, key, value in returned:
            self.baselines[figure].raise_to(key, value)
        self.epoch = self.epoch if reading.epoch is None else reading.epoch
        self._count(sets, reading.latencies, now, missed=missed)

    def clear(self) -> None:
        """Forget every baseline: what is read next gains nothing."""
        self.marks = []
        self.read_at = None
        self.baselines = [Baseline() for _ in FIGURES]
        self.histograms = HistogramBaselines()

    def process_ended(self) -> None:
        """The process is gone, or starts: counters that fall next have begun anew."""
        self.replicas.process_ended()
        self.slots.process_ended()

    def rates(self) -> Rates:
        """What the kept readings say; all unknown until there are two."""
        several = self.marks != [] and self.replicas.several(self.marks[-1].at)
        rates = Rates(
            tokens_seen=self._tokens_seen(),
            several=several,
        )
        if len(self.marks) < 2:
            return rates
        start = _start(self.marks, RATE_WINDOW_S)
        return rates._replace(
            prompt_tokens_per_s=self._per_second(PROMPT),
            generation_tokens_per_s=self._per_second(GENERATED),
            requests_per_s=self._per_second(REQUESTS),
            latencies=_observed(self.marks),
            window=Counters(*map(self._gained, range(len(FIGURES)))),
            at_least=any(mark.partial for mark in self.marks if mark.at > start.at),
        )

    def _sets(self, reading: EngineReading, now: float) -> tuple[list[LabelSets], bool]:
        """The label sets of each counter, and whether tasks ended out of sight."""
        sets = [
            own or (() if total is None else (("", total),))
            for own, total in zip(reading.sets, reading.counters, strict=True)
        ]
        if reading.slots is None:
            return sets, False
        tokens = self.slots.add(reading.slots)
        if tokens.came_back:
            self.replicas.show(now)
        sets[PROMPT], sets[GENERATED] = ((SLOTS, tokens.prompt),), ((SLOTS, tokens.generated),)
        return sets, tokens.missed

    def _count(
        self, sets: list[LabelSets], latencies: Histograms, now: float, *, missed: bool
    ) -> None:
        anew = not self.marks and bool(self.counted)
        partial = missed or anew
        for figure, (baseline, own) in enumerate(zip(self.baselines, sets, strict=True)):
            gain = baseline.add(own, now, self.read_at)
            self.spans[figure] = baseline.span(now, self.read_at)
            partial = partial or (gain.began and figure in (PROMPT, GENERATED))
            if own:
                self._book(figure, gain, now)
        self.histograms.add(latencies, now)
        self.out_of_sight = self.out_of_sight or partial
        self.read_at = now
        self._mark(now, partial=partial)

    def _book(self, figure: int, gain: Gain, now: float) -> None:
        """Add to a total; what was gained out of sight is spread over the time that it took."""
        for amount, since in gain.late:
            self.marks = [_with_share(mark, figure, amount, since, now) for mark in self.marks]
        self.totals[figure] = (self.totals[figure] or 0.0) + gain.amount
        if gain.counted:
            self.counted.add(figure)

    def _mark(self, now: float, *, partial: bool) -> None:
        marks = self.marks
        if len(marks) > 1 and marks[-1].at - marks[-2].at < APART_S:
            partial = marks.pop().partial or partial
        marks.append(Mark(now, tuple(self.totals), dict(self.histograms.gained), partial))
        while len(marks) > 2 and now - marks[1].at >= LATENCY_WINDOW_S:
            del marks[0]

    def _tokens_seen(self) -> TokensSeen | None:
        if self.counted.isdisjoint((PROMPT, GENERATED)):
            return None
        return TokensSeen(self._total(PROMPT), self._total(GENERATED), self.out_of_sight)

    def _total(self, figure: int) -> int | None:
        return whole(self.totals[figure]) if figure in self.counted else None

    def _known(self, figure: int, marks: Iterable[Mark]) -> Iterator[tuple[float, float]]:
        """Those of the marks that hold all label sets of a counter: when, and its total."""
        span = self.spans[figure]
        if span is None:
            return
        for mark in marks:
            total = mark.totals[figure]
            if total is not None and span.since <= mark.at <= span.until:
                yield mark.at, total

    def _gained(self, figure: int) -> float | None:
        first = next(self._known(figure, self.marks), None)
        last = next(self._known(figure, reversed(self.marks)), None)
        if first is None or last is None or first[0] == last[0]:
            return None
        return max(0.0, last[1] - first[1])

    def _per_second(self, figure: int) -> float | None:
        backwards = self._known(figure, reversed(self.marks))
        last, start = next(backwards, None), next(backwards, None)
        if last is None or start is None:
            return None
        end, total = last
        in_window = takewhile(lambda each: end - each[0] <= RATE_WINDOW_S, backwards)
        *_, (began, before) = start, *in_window
        return None if end - began < SHORTEST_S else max(0.0, total - before) / (end - began)


def _start(marks: list[Mark], window_s: float) -> Mark:
    """The oldest mark of the window before the last one, else the one before the last."""
    last = marks[-1]
    return next((mark for mark in marks[:-1] if last.at - mark.at <= window_s), marks[-2])


def _with_share(mark: Mark, figure: int, amount: float, since: float, now: float) -> Mark:
    """The mark with what a label set had gained by then, if it went on evenly."""
    total = mark.totals[figure]
    if total is None or mark.at <= since:
        return mark
    share = amount * (mark.at - since) / (now - since)
    totals = (*mark.totals[:figure], total + share, *mark.totals[figure + 1 :])
    return mark._replace(totals=totals)


def _observed(marks: list[Mark]) -> Histograms:
    """What was observed since the oldest mark that has a column of buckets."""
    found: dict[str, list[Histogram]] = {}
    for column, counts in marks[-1].columns.items():
        name, bounds = column
        before = next(mark.columns[column] for mark in marks if column in mark.columns)
        steps = [new - old for new, old in zip(counts, before, strict=True)]
        found.setdefault(name, []).append(Histogram(tuple(zip(bounds, steps, strict=True))))
    return Histograms(**{name: tuple(each) for name, each in found.items()})
