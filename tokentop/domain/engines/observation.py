"""One engine as the fold sees it: its last good reading, its rates, how its latest poll went."""

from functools import cached_property

from tokentop.domain.engines.quantiles import quantiles
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import EngineReading, Histograms
from tokentop.domain.policy import OFFLINE_AFTER_S, STALE_AFTER_S
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import AUTH
from tokentop.domain.snapshot_engines import EngineState, Latencies, Quantiles
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

FIGURES: tuple[EngineState, ...] = ("online", "asleep")  # whose slots, rates and latencies count


def latencies(observed: Histograms) -> Latencies:
    """The quantiles; worth keeping from reading to reading, as they cost more than all else."""
    return Latencies(*(Quantiles(*quantiles(each, 0.5, 0.95, 0.99)) for each in observed))


class _Observed(NamedTuple):
    """One engine at one moment; `url` is already safe, times are seconds.

    `outcome` is that of the latest poll, None before the first. `stuck_s` is for how long
    requests have run without any counter moving; `pids` are this host's, workers included.
    `starting`: its process runs, but does not listen yet. `lag_s` is the part of the age that is
    no silence: the time since a Prometheus server scraped it. `configured` engines, and those
    that gave figures before (`read_before`), count for the health of the whole; `unserved_since`
    is the monotonic second since when this one has not served. A good answer counts as fresh for
    `stale_after_s`.
    """

    id: str
    kind: str
    url: str | None = None
    name: str | None = None
    model_hint: str | None = None
    reading: EngineReading | None = None
    rates: Rates = Rates()
    age_s: float | None = None
    outcome: Literal["ok"] | Failure | None = None
    backing_off: bool = False
    latency_s: float | None = None
    stuck_s: float = 0.0
    pids: tuple[int, ...] = ()
    source: Literal["direct", "prometheus"] = "direct"
    group: str | None = None
    starting: bool = False
    latencies: Latencies | None = None  # of `rates`, where they were worked out before
    lag_s: float = 0.0
    configured: bool = False
    read_before: bool = False
    unserved_since: float | None = None
    stale_after_s: float = STALE_AFTER_S


class EngineObservation(_Observed):
    """The same with what follows from it: a fold reads an engine's state thirty times."""

    @cached_property
    def silent_s(self) -> float | None:
        """Seconds since its last good answer, as far as they are its own; None before the first."""
        return None if self.age_s is None else max(0.0, self.age_s - self.lag_s)

    @cached_property
    def state(self) -> EngineState:
        """Its state in one word."""
        if self.outcome == "ok" and self._recent and self.reading is not None:
            return self.reading.health
        return self._failed(self.outcome) if isinstance(self.outcome, Failure) else self._silent()

    @cached_property
    def figures(self) -> EngineReading | None:
        """The reading, where its figures are of now: online or asleep."""
        return self.reading if self.state in FIGURES else None

    @property
    def model(self) -> str | None:
        """The model it serves, by its last reading or its command line."""
        return (self.reading.model if self.reading is not None else None) or self.model_hint

    @property
    def _recent(self) -> bool:
        return self.silent_s is not None and self.silent_s <= self.stale_after_s

    def _failed(self, failure: Failure) -> EngineState:
        """A refusal counts at once; a missing answer only after `stale_after_s`.

        One that this program could not make says nothing of the engine, however long.
        """
        if failure.kind in AUTH:
            return "auth-required"
        if failure.kind == "bad-data":
            return "bad-data" if self.read_before or self.configured else "offline"
        if failure.kind == "refused":
            return self._refused()
        if failure.kind == "our-limit" and not self._recent:
            return "starting" if self.starting and self.reading is None else "stale"
        if self._recent and self.reading is not None:
            return self.reading.health
        silent = self._silent()
        return "backing-off" if self.backing_off and silent == "stale" else silent

    def _refused(self) -> EngineState:
        if self.starting:
            return "starting"
        return "gone" if self.read_before and not self.configured else "offline"

    def _silent(self) -> EngineState:
        if self.starting and self.reading is None:
            return "starting"
        known = self.silent_s is not None and self.silent_s <= OFFLINE_AFTER_S
        return "stale" if known else "offline"
