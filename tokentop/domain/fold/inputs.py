"""What the fold looks at: every held reading with its age, and whether it can be called fresh."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from tokentop.domain.fold.last_good import NEVER, Held
from tokentop.domain.policy import Policy
from tokentop.domain.readings import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:  # only who has an engine pays for its modules
    from tokentop.domain.engines.observation import EngineView
    from tokentop.domain.engines.readings import Histogram

T = TypeVar("T")
R = TypeVar("R", bound=Reading)


class ServiceView(NamedTuple):
    """One of the seven as it is shown; `url` is already safe, `keys` are its ledger keys."""

    name: str
    url: str | None
    enabled: bool = True
    keys: tuple[str, ...] = ()


class FoldInput(NamedTuple):
    """Everything one snapshot is made of. Times are seconds, `now` monotonic, `at` RFC 3339 UTC.

    `held` is keyed "service/endpoint"; `below_since` is the scale-down clock before this fold;
    `pooled` holds the last minute's TTFT and inter-token observations of engines whose rates carry
    none themselves; `priced` tells that the stack's prices mean something here (it, or a price, is
    configured).
    """

    held: Mapping[str, Held] = {}
    nvml: Held = NEVER
    services: tuple[ServiceView, ...] = ()
    policy: Policy = Policy()
    host: str = ""
    interval_s: float = 4.0
    stale_after_s: float = 10.5
    demo: bool = False
    now: float = 0.0
    at: str = ""
    below_since: float | None = None
    version: str = ""
    nvml_enabled: bool = True
    priced: bool = True
    engines: "tuple[EngineView, ...]" = ()
    pooled: "tuple[tuple[Histogram, ...], tuple[Histogram, ...]]" = ((), ())


class Sight(NamedTuple):
    """One held reading as seen now; `service` names who said it."""

    service: str
    good: Reading | None
    fresh: bool
    age_s: float | None


class Picked(NamedTuple):
    """A value, where it came from, and whether that source's latest poll succeeded."""

    value: Any = None
    sight: Sight | None = None

    @property
    def fresh(self) -> bool:
        return self.sight is not None and self.sight.fresh


def age(held: Held, now: float) -> float | None:
    """Seconds since the last good answer."""
    return None if held.good_at is None else max(0.0, now - held.good_at)


def is_fresh(held: Held, inp: FoldInput) -> bool:
    """True when the latest poll succeeded and is not long ago."""
    seconds = age(held, inp.now)
    return held.outcome == "ok" and seconds is not None and seconds <= inp.stale_after_s


def look(inp: FoldInput, key: str) -> Sight:
    """The reading held under `key`."""
    held = inp.held.get(key, NEVER)
    return Sight(key.partition("/")[0], held.good, is_fresh(held, inp), age(held, inp.now))


def fresh_first(sights: Iterable[Sight]) -> list[Sight]:
    """In order of preference, but sources that went silent after those that answer."""
    return sorted(sights, key=lambda sight: not sight.fresh)


def pick(sights: Iterable[Sight], field: Callable[[Any], Any]) -> Picked:
    """The first known value of `field`, by preference among the fresh, then among the silent."""
    for sight in fresh_first(sights):
        if sight.good is not None and (value := field(sight.good)) is not None:
            return Picked(value, sight)
    return Picked()


def all_stale(picks: Iterable[Picked]) -> bool:
    """True when there are values and every one comes from a source that went silent."""
    known = [picked for picked in picks if picked.sight is not None]
    return bool(known) and not any(picked.fresh for picked in known)


def youngest(picks: Iterable[Picked]) -> float | None:
    """The age in seconds of the newest answer that supplied a value."""
    ages = [picked.sight.age_s for picked in picks if picked.sight is not None]
    return min((seconds for seconds in ages if seconds is not None), default=None)
