"""One engine's polling state: its adapter, its breaker, its rates, its latest outcome."""

from collections.abc import Generator, Mapping

from tokentop.collect.breaker import Breaker
from tokentop.collect.engine_process import EngineProcess
from tokentop.collect.manners import Refusals
from tokentop.collect.progress import EngineProgress
from tokentop.config.schema import EngineConfig
from tokentop.domain.engines.bounded import bounded
from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.readings import EngineKind, EngineReading, ObservedSlots
from tokentop.domain.readings import Failure
from tokentop.domain.text import clean
from tokentop.light_typing import Literal, Protocol, TypeVar
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.protocol import (
    Adapter,
    Answers,
    Hints,
    Paths,
    PollProtocol,
)
from tokentop.sources.engines.registry import KINDS, adapter
from tokentop.transport.http.messages import Request, safe_url

COUNTING = ("online", "asleep")  # the others have no counters
SERVING = (*COUNTING, "names-only")
WRONG_KEY = "The server refused the API key: check what token_env or token_file holds."


class Found(Protocol):
    """What discovery found out about one engine."""

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
    @property
    def one_pool(self) -> bool | None: ...
    @property
    def kv_gpu_bytes(self) -> int | None: ...


T = TypeVar("T")
PollResult = EngineReading | FleetReading | Failure  # what a poll comes to


class PendingPoll(NamedTuple):
    """One poll to run: the protocol, and the base request that its requests are made from."""

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
        self.read_before = False
        self.unserved_since: float | None = None
        self._request = request
        self._hints = hints
        self._named = named
        self._adapter: Adapter | None = None
        self._observed = ObservedSlots()  # by this adapter, one before, or an earlier call
        self._breaker = Breaker()
        self._progress = EngineProgress()
        self._refusals = Refusals()
        self._reading: EngineReading | None = None
        self._good_at: float | None = None
        self._outcome: Literal["ok"] | Failure | None = None
        self._latency_s: float | None = None
        self._process = EngineProcess()
        self._model_hint: str | None = None

    @property
    def discovered(self) -> bool:
        """True where it was found rather than configured."""
        return self._named is None

    @property
    def silent(self) -> bool:
        """Whether its latest poll failed, or none has been."""
        return self._outcome != "ok"

    @property
    def refuses_connections(self) -> bool:
        """Whether nothing listens there; a process that starts does not yet."""
        refused = isinstance(self._outcome, Failure) and self._outcome.kind == "refused"
        return refused and not self._process.starting

    def update_from_discovery(self, found: Found, *, starting: bool = False) -> None:
        """Take what discovery found of its processes; new hints begin a new adapter."""
        self._process.found(found.pids, listening=not starting)
        self._model_hint = found.model_hint
        hints = self._hints._replace(
            argv_slots=found.argv_slots,
            one_pool=found.one_pool,
            kv_gpu_bytes=found.kv_gpu_bytes,
            runners=tuple(found.runners),
        )
        if hints != self._hints:
            self._hints, self._adapter = hints, None
        if self.kind is None:
            self.kind = found.kind

    def process_vanished(self) -> None:
        """Discovery no longer finds its process, so it is not starting any more."""
        self._process.vanished()

    def poll(self, now: float) -> PendingPoll | None:
        """One poll; None while the breaker holds it back."""
        if not self._breaker.allow(now):
            return None
        return PendingPoll(self.id, self._protocol(now), self._request)

    def _protocol(self, now: float) -> PollProtocol:
        if self.kind is None:
            from tokentop.collect.identifying import identified

            kind = yield from self._politely(identified(), now)
            if isinstance(kind, EngineReading | Failure):
                return kind
            self.kind = kind
        if self._adapter is None:
            self._adapter = adapter(self.kind, self._hints._replace(observed=self._observed))
        result = yield from self._politely(self._adapter.poll(now), now)
        return result if isinstance(result, Failure) else bounded(result)

    def _politely(
        self, protocol: Generator[Paths, Answers, T], now: float
    ) -> Generator[Paths, Answers, T]:
        """The same protocol; a path that lately wanted a token is not requested again."""
        try:
            paths = next(protocol)
            while True:
                recent = {path: self._refusals.recent(path, now) for path in paths}
                answers = yield tuple(path for path in paths if recent[path] is None)
                for path, answer in answers.items():
                    self._refusals.record(
                        path, answer if isinstance(answer, Failure) else None, now
                    )
                kept = {path: failure for path, failure in recent.items() if failure is not None}
                paths = protocol.send({**answers, **kept})
        except StopIteration as ended:
            result: T = ended.value
            return result

    def record(self, result: EngineReading | Failure, now: float, latency_s: float | None) -> None:
        """Take one poll's result."""
        self._latency_s = latency_s
        if isinstance(result, Failure):
            self._outcome = result
            self._breaker.record("neutral" if result.neutral else "failed", now)
            self._note_service(False, now)
            if result.kind == "refused":
                self._begin_anew()
            return
        self._breaker.record("ok", now)
        self._outcome, self._good_at = "ok", now
        if result.health == "auth-required" and self._request.token is not None:
            result = result._replace(advice=WRONG_KEY)
        self._reading = result
        self._observed = result.observed or self._observed
        self._note_service(result.health in SERVING, now)
        if result.health == "starting":
            self._begin_anew()
        if result.health in COUNTING:
            self._progress.add(result, now)
        else:
            self._progress.clear()

    def _begin_anew(self) -> None:
        """The process has ended: what was seen of its slots, version and names is another's."""
        self._adapter, self._observed = None, ObservedSlots()
        self._progress.process_ended()

    def _note_service(self, serves: bool, now: float) -> None:
        if serves:
            self.read_before, self.unserved_since = True, None
            self._process.serves()
        elif self.unserved_since is None:
            self.unserved_since = now

    def dump(self) -> dict[str, object]:
        """What the next call of a one-shot view needs of it, as plain JSON values."""
        from tokentop.domain.engines import saved_reading

        return {
            **self._progress.dump(),
            "kind": self.kind,
            "url": safe_url(self._request.url),
            "model": self._reading.model if self._reading else self._model_hint,
            "last": None if self._reading is None else saved_reading.dump(self._reading),
            "last_at": self._good_at,
            "observed": list(self._observed),
            "read_before": self.read_before,
            "unserved_since": self.unserved_since,
            "served": self._process.dump(),
            "refused": self._refusals.dump(),
        }

    def restore(self, saved: Mapping[str, object], now: float) -> None:
        """Take what an earlier call left, before the first poll of this one."""
        if self._good_at is not None:
            return
        from tokentop.domain.engines import saved_reading  # where something was left

        kind = next((each for each in KINDS if each == saved.get("kind")), None)
        if self.kind is None or self.kind == kind:
            self.kind = kind
            self._progress.restore(saved, now)
        self.read_before = saved.get("read_before") is True
        self._refusals.restore(saved.get("refused"), self._request, now)
        self._observed = saved_reading.restore_observed(saved.get("observed"))
        self.unserved_since = _moment(saved.get("unserved_since"), now)
        self._process.restore(saved.get("served"))
        model, last_at = saved.get("model"), _moment(saved.get("last_at"), now)
        if isinstance(model, str) and self._model_hint is None:
            self._model_hint = clean(model) or None
        if self.kind is not None and last_at is not None:
            self._reading = saved_reading.restore(saved.get("last"), self.kind)
            self._good_at = None if self._reading is None else last_at

    def observation(self, now: float, stale_after_s: float) -> EngineObservation:
        """The engine as the fold is given it."""
        named = self._named
        return EngineObservation(
            id=self.id,
            kind=self.kind or "unknown",
            url=safe_url(self._request.url),
            name=named.name if named else None,
            model_hint=self._model_hint,
            reading=self._reading,
            rates=self._progress.rates,
            age_s=None if self._good_at is None else max(0.0, now - self._good_at),
            outcome=self._outcome,
            backing_off=self._breaker.state(now) != "closed",
            latency_s=self._latency_s,
            stuck_s=self._progress.stuck_s(self._good_at),
            pids=self._process.pids,
            starting=self._process.starting,
            latencies=self._progress.latencies,
            configured=named is not None,
            read_before=self.read_before,
            unserved_since=self.unserved_since,
            stale_after_s=stale_after_s,
        )


def _moment(value: object, now: float) -> float | None:
    """A monotonic second that has been; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value <= now:
        return None
    return float(value)
