"""What the fold looks at: every held reading with its age, and whether it can be called fresh."""

from collections.abc import Callable, Iterable, Mapping

from tokentop.domain.fold.last_good import NEVER, LastGood
from tokentop.domain.policy import INTERVAL_S, STALE_AFTER_S, Policy
from tokentop.domain.readings import Reading
from tokentop.light_typing import TYPE_CHECKING, Any, Literal, TypeVar
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:  # imported only where there is an engine
    from tokentop.domain.engines.observation import EngineObservation
    from tokentop.domain.engines.readings import Histograms
    from tokentop.domain.verdict.verdict import Memory

T = TypeVar("T")
R = TypeVar("R", bound=Reading)


class ServiceObservation(NamedTuple):
    """One of the seven services, or a provider of offers.

    `url` is safe to show, `keys` are its keys in the cache.
    """

    name: str
    url: str | None
    enabled: bool = True
    keys: tuple[str, ...] = ()
    configured: bool = False
    kind: Literal["aither", "offers"] = "aither"


class FoldInput(NamedTuple):
    """Everything one snapshot is made of. Times are seconds, `now` monotonic, `at` RFC 3339 UTC.

    `held` is keyed "service/endpoint"; `below_since` is the scale-down clock before this fold;
    `pooled` holds the last minute's TTFT and inter-token observations of engines whose rates carry
    none themselves; `priced` tells that the stack's prices mean something here (it, or a price, is
    configured); `wall` is `now` in Unix seconds, `before` what the last verdict left for this one.
    """

    held: Mapping[str, LastGood] = {}
    nvml: LastGood = NEVER
    services: tuple[ServiceObservation, ...] = ()
    policy: Policy = Policy()
    host: str = ""
    interval_s: float = INTERVAL_S
    stale_after_s: float = STALE_AFTER_S
    demo: bool = False
    now: float = 0.0
    at: str = ""
    below_since: float | None = None
    version: str = ""
    nvml_enabled: bool = True
    priced: bool = True
    engines: "tuple[EngineObservation, ...]" = ()
    pooled: "Histograms | None" = None
    wall: float = 0.0
    utc_offset_s: float = 0.0
    before: "Memory" = {}


class SourceState(NamedTuple):
    """One source's last good reading at this moment; `service` is where it came from."""

    service: str
    good: Reading | None
    fresh: bool
    age_s: float | None


class Selected(NamedTuple):
    """A value, where it came from, and whether that source's latest poll succeeded."""

    value: Any = None
    state: SourceState | None = None

    @property
    def fresh(self) -> bool:
        return self.state is not None and self.state.fresh


def age(held: LastGood, now: float) -> float | None:
    """Seconds since the last good answer."""
    return None if held.good_at is None else max(0.0, now - held.good_at)


def is_fresh(held: LastGood, inp: FoldInput) -> bool:
    """True when the latest poll succeeded and is not long ago."""
    return held.outcome == "ok" and is_recent(age(held, inp.now), held, inp)


def is_recent(seconds: float | None, held: LastGood, inp: FoldInput) -> bool:
    """Whether figures of that age are of now: a source that takes long to answer is given twice."""
    limit_s = max(inp.stale_after_s, inp.interval_s + 2 * (held.latency_s or 0.0))
    return seconds is not None and seconds <= limit_s + held.pause_s


def lookup(inp: FoldInput, key: str) -> SourceState:
    """The reading held under `key`."""
    held = inp.held.get(key, NEVER)
    return SourceState(key.partition("/")[0], held.good, is_fresh(held, inp), age(held, inp.now))


def fresh_first(states: Iterable[SourceState]) -> list[SourceState]:
    """In order of preference, but stale sources after fresh ones."""
    return sorted(states, key=lambda state: not state.fresh)


def select(states: Iterable[SourceState], field: Callable[[Any], Any]) -> Selected:
    """The first known value of `field`: fresh sources in their order, then stale ones."""
    for state in fresh_first(states):
        if state.good is not None and (value := field(state.good)) is not None:
            return Selected(value, state)
    return Selected()


def all_stale(selections: Iterable[Selected]) -> bool:
    """True when there are values and every one comes from a stale source."""
    known = [selected for selected in selections if selected.state is not None]
    return bool(known) and not any(selected.fresh for selected in known)


def aged(inputs: Iterable[tuple[float | None, bool]]) -> tuple[float | None, bool]:
    """(age of the oldest input, whether any is stale), from (age, stale) of each."""
    used = tuple(inputs)
    ages = [age_s for age_s, _ in used if age_s is not None]
    return max(ages, default=None), any(stale for _, stale in used)


def oldest(selections: Iterable[Selected]) -> float | None:
    """The age in seconds of the oldest answer that supplied a value."""
    ages = [selected.state.age_s for selected in selections if selected.state is not None]
    return max((seconds for seconds in ages if seconds is not None), default=None)
