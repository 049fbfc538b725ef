"""The protocol of one poll of the fleet's server: a few instant queries, however many engines."""

from collections.abc import Generator, Mapping

from tokentop.domain.engines.fleet_readings import FleetEngine, FleetReading
from tokentop.domain.engines.readings import Histograms, ObservedSlots
from tokentop.domain.readings import DeviceReading, Failure
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.protocol import Answer, Answers, Hints, Paths
from tokentop.sources.engines.registry import spec
from tokentop.sources.engines.slots import observed, with_slots
from tokentop.sources.json_fields import BadData
from tokentop.sources.prometheus.answers import Row, advise, measured, rows
from tokentop.sources.prometheus.engines import engines
from tokentop.sources.prometheus.gpus import devices
from tokentop.sources.prometheus.queries import LATENCY, LONG_WINDOW_S, WINDOW_S, path, queries
from tokentop.sources.prometheus.targets import Sums, Targets, histograms, identity

MAX_BYTES = 16 * 1024 * 1024  # one answer about ten thousand engines
OFTEN_S = 25.0  # scraped at least so often, two scrapes lie within the short window
RECONSIDER_S = 300.0
# Histograms are nine tenths of the server's work, and it learns nothing between two scrapes.
QUICK = ("gauges", "ages", "down", "rates")
SUMMED = ("events", "totals", *LATENCY)
SLOW = (*SUMMED, "merged", "gpus")
SLOW_EVERY_S = 20.0
SLOW_PER_ENGINE_S = 0.04  # a larger fleet is queried less often: our cost to the server stays low

NOTHING = "no inference engine is known there: let it scrape the engines' /metrics, then look again"
SELDOM = "rates are over the last five minutes: engines are scraped less often than twice a minute"

NOT_REQUESTED = Failure("unreachable", "this query was not made")

Replies = Mapping[str, Answer | Failure]
FleetProtocol = Generator[Paths, Answers, FleetReading | Failure]


class SlowResults(NamedTuple):
    """The results of the slow queries, used until they are made again."""

    sums: Sums
    devices: tuple[DeviceReading, ...] = ()
    latencies: Histograms = Histograms()
    notes: tuple[str, ...] = ()


def parse(
    answers: Replies,
    group_by: str | None,
    window_s: int = WINDOW_S,
    slow: SlowResults | None = None,
) -> FleetReading | Failure:
    """The fleet of these answers, by the names of `queries`, and of earlier `slow` results.

    Without the gauges there is no fleet; every other answer that is missing costs its figures.
    """
    by_query, notes = _read(answers, QUICK)
    if isinstance(by_query, Failure):
        return by_query
    own = identity(group_by)
    slow = slow or slow_results(answers, group_by)
    targets = Targets(own)
    targets.gauges(by_query["gauges"], up=True)
    targets.gauges(by_query["down"], up=False)
    targets.ages(measured(by_query["ages"]))
    targets.sums(Sums(own, by_query["rates"]))
    targets.sums(slow.sums)
    found = engines(targets.found.values(), group_by, window_s)
    notes += [*slow.notes, *(() if found else (NOTHING,))]
    return FleetReading(
        engines=found,
        devices=slow.devices,
        latencies=slow.latencies,
        notes=tuple(dict.fromkeys(notes)),
    )


def slow_results(answers: Replies, group_by: str | None) -> SlowResults:
    """What the answers to the slow queries hold."""
    by_query, notes = _read(answers, SLOW)
    assert not isinstance(by_query, Failure)
    merged = measured(by_query["merged"])
    return SlowResults(
        Sums(identity(group_by), [row for name in SUMMED for row in by_query[name]]),
        devices(measured(by_query["gpus"])),
        Histograms(*(histograms(merged, figure) for figure in Histograms._fields)),
        tuple(notes),
    )


def _read(
    answers: Replies, names: tuple[str, ...]
) -> tuple[dict[str, list[Row]] | Failure, list[str]]:
    """The rows by query; the failure where the gauges fail."""
    by_query: dict[str, list[Row]] = {}
    notes: list[str] = []
    for name in names:
        answer = answers.get(name, NOT_REQUESTED)
        answer = advise(answer) if isinstance(answer, Failure) else answer
        try:
            by_query[name], warnings = rows(answer)
            notes += warnings
        except BadData as problem:
            if name == "gauges":
                return _failure(answer, problem), []
            by_query[name] = []
            notes.append(f"{name}: {problem}")
    return by_query, notes


def _failure(answer: Answer | Failure, problem: BadData) -> Failure:
    if isinstance(answer, Failure):
        return answer
    return Failure("bad-data", str(problem), neutral=True)


class Fleet:
    """The fleet's server; it remembers how often engines are scraped, and the slots seen in use."""

    def __init__(self, group_by: str | None = None) -> None:
        self._group_by = group_by
        self._window_s = WINDOW_S
        self._since = 0.0  # when the long window was chosen
        self._oldest = 0.0  # seconds between scrapes seen since then
        self._slow: SlowResults | None = None
        self._slow_at = 0.0
        self._observed: dict[str, ObservedSlots] = {}

    def poll(self, now: float) -> FleetProtocol:
        """The quick queries; all of them every twenty seconds, less often for a large fleet.

        They are made again over a longer window where this one held a single scrape.
        """
        if now - self._slow_at >= max(SLOW_EVERY_S, SLOW_PER_ENGINE_S * len(self._observed)):
            self._slow = None
        every = dict(queries(self._group_by, self._window_s))
        answers = yield from _query({n: every[n] for n in QUICK} if self._slow else every)
        reading = self._parsed(answers, now)
        if isinstance(reading, FleetReading) and self._scraped_seldom(reading):
            self._window_s, self._since, self._oldest = LONG_WINDOW_S, now, 0.0
            self._slow = None
            answers |= yield from _query(dict(queries(self._group_by, LONG_WINDOW_S)))
            reading = self._parsed(answers, now)
        if isinstance(reading, Failure):
            return reading
        return self._with_slots(self._reconsidered(reading, now))

    def _parsed(self, answers: Replies, now: float) -> FleetReading | Failure:
        if self._slow is None:
            self._slow, self._slow_at = slow_results(answers, self._group_by), now
        reading = parse(answers, self._group_by, self._window_s, self._slow)
        if isinstance(reading, Failure):
            self._slow = None
        return reading

    def _scraped_seldom(self, reading: FleetReading) -> bool:
        """Engines that answer, and no rate of any: the window held no two scrapes."""
        up = [engine.rates for engine in reading.engines if engine.up]
        failed = any(note.startswith("rates:") for note in reading.notes)
        tokens = any(rates.generation_tokens_per_s is not None for rates in up)
        requests = any(rates.requests_per_s is not None for rates in up)
        return self._window_s == WINDOW_S and bool(up) and not (tokens or requests or failed)

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
        """Slots as a lower bound from several polls, where no exporter has them."""
        before = self._observed
        found = tuple(
            _with_bound(engine, before.get(engine.id, ObservedSlots()))
            for engine in reading.engines
        )
        self._observed = {one.id: one.reading.observed or ObservedSlots() for one in found}
        return reading._replace(engines=found)


def _query(
    promql_by_name: dict[str, str],
) -> Generator[Paths, Answers, dict[str, Answer | Failure]]:
    paths = {name: path(promql) for name, promql in promql_by_name.items()}
    answers = yield tuple(paths.values())
    return {name: answers[at] for name, at in paths.items()}


def _with_bound(engine: FleetEngine, before: ObservedSlots) -> FleetEngine:
    if spec(engine.kind).router:
        return engine
    if not engine.up:
        return engine._replace(reading=engine.reading._replace(observed=before))
    evidence = observed(before, engine.reading)
    return engine._replace(reading=with_slots(engine.reading, Hints(), evidence))
