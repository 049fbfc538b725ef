"""One poll of the fleet's server as a conversation: eight instant queries, however many engines."""

from collections.abc import Generator, Mapping
from typing import NamedTuple

from tokentop.domain.engines.fleet_readings import FleetEngine, FleetReading
from tokentop.domain.engines.readings import Histogram
from tokentop.domain.readings import DeviceReading, Failure
from tokentop.sources.engines.protocol import Answer, Answers, Hints, Paths
from tokentop.sources.engines.registry import spec
from tokentop.sources.engines.slots import ObservedSlots, best_slots
from tokentop.sources.json_fields import BadData
from tokentop.sources.prometheus.answers import Row, advise, rows
from tokentop.sources.prometheus.engines import engines
from tokentop.sources.prometheus.gpus import devices
from tokentop.sources.prometheus.queries import LONG_WINDOW_S, WINDOW_S, path, queries
from tokentop.sources.prometheus.targets import Sums, Targets, histograms, identity

MAX_BYTES = 16 * 1024 * 1024  # one answer about ten thousand engines
OFTEN_S = 25.0  # scraped at least so often, two scrapes lie within the short window
RECONSIDER_S = 300.0
# Histograms are nine tenths of the server's work, and it learns nothing between two scrapes.
QUICK = ("gauges", "ages", "down", "rates")
SLOW = ("events", "latency", "totals", "gpus")
SLOW_EVERY_S = 20.0
SLOW_PER_ENGINE_S = 0.04  # a larger fleet is asked less often: what we cost the server stays low

NOTHING = "no inference engine is known there: let it scrape the engines' /metrics, then look again"
SELDOM = "rates are over the last five minutes: engines are scraped less often than twice a minute"

NOT_REQUESTED = Failure("unreachable", "this question was not asked")

Replies = Mapping[str, Answer | Failure]
Talk = Generator[Paths, Answers, FleetReading | Failure]


class Slow(NamedTuple):
    """What the slow queries came to, kept while they are not asked again."""

    sums: Sums
    devices: tuple[DeviceReading, ...] = ()
    ttft: tuple[Histogram, ...] = ()
    itl: tuple[Histogram, ...] = ()
    notes: tuple[str, ...] = ()


def parse(
    answers: Replies, group_by: str | None, window_s: int = WINDOW_S, kept: Slow | None = None
) -> FleetReading | Failure:
    """What the answers, by the names of `queries`, say together with what is `kept`.

    Without the gauges there is no fleet; every other answer that is missing costs what it holds.
    """
    said, notes = _read(answers, QUICK)
    if isinstance(said, Failure):
        return said
    own = identity(group_by)
    slow_ones = kept or slow(answers, group_by)
    targets = Targets(own)
    targets.gauges(said["gauges"], up=True)
    targets.gauges(said["down"], up=False)
    targets.ages(said["ages"])
    targets.sums(Sums(own, said["rates"]))
    targets.sums(slow_ones.sums)
    found = engines(targets.found.values(), group_by, window_s)
    notes += [*slow_ones.notes, *(() if found else (NOTHING,))]
    return FleetReading(
        engines=found,
        devices=slow_ones.devices,
        ttft=slow_ones.ttft,
        itl=slow_ones.itl,
        window_s=window_s,
        notes=tuple(dict.fromkeys(notes)),
    )


def slow(answers: Replies, group_by: str | None) -> Slow:
    """What the answers to the slow queries say."""
    said, notes = _read(answers, SLOW)
    assert not isinstance(said, Failure)
    totals = said["totals"]
    return Slow(
        Sums(identity(group_by), [*said["events"], *said["latency"], *totals]),
        devices(said["gpus"]),
        histograms(totals, "ttft"),
        histograms(totals, "itl"),
        tuple(notes),
    )


def _read(
    answers: Replies, names: tuple[str, ...]
) -> tuple[dict[str, list[Row]] | Failure, list[str]]:
    """The rows by query; the failure where the one fails that nothing goes without."""
    said: dict[str, list[Row]] = {}
    notes: list[str] = []
    for name in names:
        answer = answers.get(name, NOT_REQUESTED)
        answer = advise(answer) if isinstance(answer, Failure) else answer
        try:
            said[name], warnings = rows(answer)
            notes += warnings
        except BadData as problem:
            if name == "gauges":
                return _failure(answer, problem), []
            said[name] = []
            notes.append(f"{name}: {problem}")
    return said, notes


def _failure(answer: Answer | Failure, problem: BadData) -> Failure:
    if isinstance(answer, Failure):
        return answer
    return Failure("bad-data", str(problem), neutral=True)


class Fleet:
    """The fleet's server; it remembers how often engines are scraped, and the seats seen."""

    def __init__(self, group_by: str | None = None) -> None:
        self._group_by = group_by
        self._window_s = WINDOW_S
        self._since = 0.0  # when the long window was chosen
        self._oldest = 0.0  # seconds between scrapes seen since then
        self._kept: Slow | None = None
        self._kept_at = 0.0
        self._observed: dict[str, ObservedSlots] = {}

    def poll(self, now: float) -> Talk:
        """Four queries at once; eight every twenty seconds, or seldomer for a large fleet.

        They are asked again over a longer time where the window held a single scrape.
        """
        if now - self._kept_at >= max(SLOW_EVERY_S, SLOW_PER_ENGINE_S * len(self._observed)):
            self._kept = None
        asked = dict(queries(self._group_by, self._window_s))
        answers = yield from _ask({n: asked[n] for n in QUICK} if self._kept else asked)
        reading = self._parsed(answers, now)
        if isinstance(reading, FleetReading) and self._scraped_seldom(reading):
            self._window_s, self._since, self._oldest = LONG_WINDOW_S, now, 0.0
            self._kept = None
            answers |= yield from _ask(dict(queries(self._group_by, LONG_WINDOW_S)))
            reading = self._parsed(answers, now)
        if isinstance(reading, Failure):
            return reading
        return self._with_slots(self._reconsidered(reading, now))

    def _parsed(self, answers: Replies, now: float) -> FleetReading | Failure:
        if self._kept is None:
            self._kept, self._kept_at = slow(answers, self._group_by), now
        reading = parse(answers, self._group_by, self._window_s, self._kept)
        if isinstance(reading, Failure):
            self._kept = None
        return reading

    def _scraped_seldom(self, reading: FleetReading) -> bool:
        """Engines that answer, and no rate of any: the window held no two scrapes."""
        up = [engine for engine in reading.engines if engine.up]
        failed = any(note.startswith("rates:") for note in reading.notes)
        unknown = all(engine.rates.generation_tokens_per_s is None for engine in up)
        return self._window_s == WINDOW_S and bool(up) and unknown and not failed

    def _reconsidered(self, reading: FleetReading, now: float) -> FleetReading:
        """Go back to the short window once scrapes have been frequent for a while."""
        if self._window_s == WINDOW_S:
            return reading
        ages = (engine.age_s or 0.0 for engine in reading.engines if engine.up)
        self._oldest = max(self._oldest, *ages, 0.0)
        if now - self._since >= RECONSIDER_S:
            often = self._oldest < OFTEN_S
            self._window_s = WINDOW_S if often else LONG_WINDOW_S
            self._since, self._oldest = now, 0.0
        return reading._replace(notes=(*reading.notes, SELDOM))

    def _with_slots(self, reading: FleetReading) -> FleetReading:
        """Slots as a lower bound from what was seen; no exporter tells them."""
        seen = {engine.id: self._observed.get(engine.id) or ObservedSlots()
                for engine in reading.engines}  # fmt: skip
        self._observed = seen
        return reading._replace(
            engines=tuple(_seated(engine, seen[engine.id]) for engine in reading.engines)
        )


def _ask(
    asked: dict[str, str],
) -> Generator[Paths, Answers, dict[str, Answer | Failure]]:
    paths = {name: path(promql) for name, promql in asked.items()}
    answers = yield tuple(paths.values())
    return {name: answers[at] for name, at in paths.items()}


def _seated(engine: FleetEngine, observed: ObservedSlots) -> FleetEngine:
    reading = engine.reading
    if spec(engine.kind).router or not engine.up:
        return engine
    observed.see(reading.active, reading.queued, reading.kv_cache)
    slots, source = best_slots(reading.max_slots, Hints(), observed.lower_bound())
    return engine._replace(reading=reading._replace(max_slots=slots, slots_source=source))
