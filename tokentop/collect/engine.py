"""One engine as it is asked: its adapter, its breaker, its rates, and how it answers."""

from collections import deque
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol

from tokentop.collect.breaker import Breaker
from tokentop.config.schema import EngineConfig
from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.engines.observation import EngineObservation, Latency, latency
from tokentop.domain.engines.rates import LATENCY_WINDOW_S, Rates, RateTracker
from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.engines.saved_counters import dump, restore
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import AUTH
from tokentop.sources.engines.protocol import (
    LOADING,
    Adapter,
    Answers,
    Hints,
    Paths,
    PollProtocol,
)
from tokentop.sources.engines.registry import adapter
from tokentop.transport.http.messages import Request, safe_url

COUNTING = ("online", "asleep")  # the others tell no counters
WRONG_KEY = "The server refused the API key: check what token_env or token_file holds."
SAVED_APART_S = 8.0  # closer keepsakes than these say nothing more


class Found(Protocol):
    """What discovery tells of one engine."""

    @property
    def kind(self) -> EngineKind: ...
    @property
    def url(self) -> str: ...
    @property
    def pids(self) -> tuple[int, ...]: ...
    @property
    def argv_slots(self) -> int | None: ...
    @property
    def model_hint(self) -> str | None: ...
    @property
    def runners(self) -> tuple[str, ...]: ...


PollResult = EngineReading | FleetReading | Failure  # what a poll comes to
UNKNOWN = Failure("bad-data", "no inference engine that is known answers there", neutral=True)


class PendingPoll(NamedTuple):
    """One poll to hold: the conversation, and the base request it is held with."""

    id: str
    protocol: "Generator[Paths, Answers, PollResult]"
    request: Request


class EngineTarget:
    """One engine; times are monotonic seconds passed in."""

    def __init__(
        self,
        identity: str,
        request: Request,
        kind: EngineKind | None,
        hints: Hints,
        named: EngineConfig | None,
    ) -> None:
        self.id = identity
        self.kind = kind
        self.misses = 0
        self._request = request
        self._hints = hints
        self._named = named
        self._adapter: Adapter | None = None
        self._breaker = Breaker()
        self._keeper = RateTracker()
        self._rates = Rates()
        self._latency: Latency | None = None
        self._kept: deque[tuple[float, EngineReading]] = deque()
        self._reading: EngineReading | None = None
        self._good_at: float | None = None
        self._outcome: Any = None
        self._latency_s: float | None = None
        self._moved: tuple[float, object] | None = None
        self._pids: tuple[int, ...] = ()
        self._starting = False
        self._model_hint: str | None = None

    @property
    def discovered(self) -> bool:
        """True where nobody configured it."""
        return self._named is None

    @property
    def silent(self) -> bool:
        """Whether its latest poll failed, or none has been."""
        return bool(self._outcome != "ok")

    @property
    def refuses_connections(self) -> bool:
        """Whether nobody listens there; a process that starts does not yet."""
        refused = isinstance(self._outcome, Failure) and self._outcome.kind == "refused"
        return refused and not self._starting

    def update_from_discovery(self, found: Found, *, starting: bool = False) -> None:
        """Take what discovery says of its processes; new hints begin a new adapter."""
        self._pids, self._model_hint = tuple(found.pids), found.model_hint
        self._starting = starting
        hints = self._hints._replace(argv_slots=found.argv_slots, runners=tuple(found.runners))
        if hints != self._hints:
            self._hints, self._adapter = hints, None
        if self.kind is None:
            self.kind = found.kind

    def poll(self, now: float) -> PendingPoll | None:
        if not self._breaker.allow(now):
            return None
        return PendingPoll(self.id, self._conversation(now), self._request)

    def _conversation(self, now: float) -> PollProtocol:
        if self.kind is None:
            told = yield from _told_apart()
            if isinstance(told, EngineReading | Failure):
                return told
            self.kind = told
        if self._adapter is None:
            self._adapter = adapter(self.kind, self._hints)
        return (yield from self._adapter.poll(now))

    def record(self, result: EngineReading | Failure, now: float, latency_s: float | None) -> None:
        self._latency_s = latency_s
        if isinstance(result, Failure):
            self._outcome = result
            self._breaker.record("neutral" if result.neutral else "failed", now)
            return
        self._breaker.record("ok", now)
        self._outcome, self._good_at = "ok", now
        if result.health == "auth-required" and self._request.token is not None:
            result = result._replace(advice=WRONG_KEY)
        self._reading = _with_last_good(result, self._reading)
        if result.health in COUNTING:
            self._count(result, now)

    def _count(self, reading: EngineReading, now: float) -> None:
        self._keeper.add(reading, now)
        self._rates = self._keeper.rates()
        self._latency = latency(self._rates)
        mark = (reading.counters.generation_tokens, reading.counters.prompt_tokens)
        if self._moved is None or not reading.active or mark != self._moved[1]:
            self._moved = (now, mark)
        self._keep(reading, now)

    def _keep(self, reading: EngineReading, now: float) -> None:
        if len(self._kept) > 1 and self._kept[-1][0] - self._kept[-2][0] < SAVED_APART_S:
            self._kept.pop()
        self._kept.append((now, reading))
        while now - self._kept[0][0] > LATENCY_WINDOW_S:
            self._kept.popleft()

    def dump_counters(self) -> list[object]:
        return [dump(reading, at) for at, reading in self._kept if reading.kind == self.kind]

    def restore_counters(self, kept: object, now: float) -> float | None:
        """Counters of an earlier process, at most a minute old, before the first poll of ours.

        Returns when the newest that was taken was read.
        """
        if not isinstance(kept, list) or self._good_at is not None:
            return None
        found = [pair for each in kept[:64] if (pair := restore(each)) is not None]
        for at, reading in sorted(found, key=lambda pair: pair[0]):
            if 0.0 < now - at <= LATENCY_WINDOW_S and reading.kind == (self.kind or reading.kind):
                self.kind = reading.kind  # saves telling it apart anew
                self._keeper.add(reading, at)
                self._keep(reading, at)
        return self._kept[-1][0] if self._kept else None

    def view(self, now: float) -> EngineObservation:
        named = self._named
        stuck = self._good_at - self._moved[0] if self._good_at and self._moved else 0.0
        return EngineObservation(
            id=self.id,
            kind=self.kind or "unknown",
            url=safe_url(self._request.url),
            name=named.name if named else None,
            model_hint=self._model_hint,
            reading=self._reading,
            rates=self._rates,
            age_s=None if self._good_at is None else max(0.0, now - self._good_at),
            outcome=self._outcome,
            backing_off=self._breaker.state(now) != "closed",
            latency_s=self._latency_s,
            stuck_s=stuck,
            pids=self._pids,
            starting=self._starting,
            latency=self._latency,
        )


def _told_apart() -> Any:
    """Which engine answers; where none can be told, the reason for that."""
    from tokentop.sources.engines.identify import identify

    talk = identify()
    paths = next(talk)
    while True:
        answers = yield paths
        failures = [answer for answer in answers.values() if isinstance(answer, Failure)]
        try:
            paths = talk.send(answers)
        except StopIteration as ended:
            return ended.value or _why_unknown(failures, len(answers))


def _why_unknown(failures: Sequence[Failure], asked: int) -> EngineReading | Failure:
    """What keeps the kind from being told: loading, a lock, silence, or another sort of server."""
    if len(failures) == asked and all(failure.status == 503 for failure in failures):
        return EngineReading("openai", health="starting", advice=LOADING)
    refusal = next((failure for failure in failures if failure.kind in AUTH), None)
    if refusal is not None:
        return refusal
    heard = len(failures) < asked or any(failure.status for failure in failures)
    return UNKNOWN if heard else failures[0]


def _with_last_good(new: EngineReading, old: EngineReading | None) -> EngineReading:
    """A field that came in an unusable form keeps its last good value."""
    if old is None or not new.bad:
        return new
    missing = [name for name in new.bad if getattr(new, name, 0) is None]
    return new._replace(**{name: getattr(old, name) for name in missing})
