"""The tokens that engines generated from one snapshot to the next: differences of their counters.

Where only a rate is known (a fleet read through Prometheus, a gauge) its product with the time
stands in, as an estimate. An engine that serves and reports neither leaves a gap.
"""

from collections.abc import Iterable, Sequence

from tokentop.domain.numbers import total
from tokentop.domain.snapshot_engines import Engine, EngineState
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple

# It may generate, and nothing is known of it.
_HIDING: tuple[EngineState, ...] = (
    "no-metrics", "names-only", "auth-required", "stale", "bad-data", "backing-off",
)  # fmt: skip
COUNTING: tuple[EngineState, ...] = ("online", "asleep")
CAUGHT_UP_S = 12.0  # a reading older than this, before the step, lets an answer cover more than it


class Step(NamedTuple):
    """One step between two snapshots.

    `tokens` is None where no engine reported any figure. `late_tokens` of them were made in part
    before the step began. `gaps` are the ids of engines that may have generated more. `arrived`:
    an engine's count was read the first time.
    """

    tokens: float | None = None
    late_tokens: float = 0.0
    estimated: bool = False
    gaps: tuple[str, ...] = ()
    arrived: bool = False


class _Count(NamedTuple):
    """One engine at the last step; `total` since it was first read, read at `at`."""

    total: float | None = None
    at: float | None = None
    at_least: bool = False


class TokenCounts:
    """What each engine had generated at the last step; `now` is monotonic seconds."""

    def __init__(self, seen: dict[str, _Count] | None = None, at: float | None = None) -> None:
        self._seen = seen or {}
        self._at = at

    def step(self, engines: Iterable[Engine], now: float) -> Step:
        """The tokens since the last step. The first one is the baseline and has none."""
        listed = tuple(engines)
        counted = _sources(listed)
        before, self._seen = self._seen, {e.id: self._count(e, now) for e in listed}
        began, self._at = self._at, now
        if began is None:
            return Step()
        steps = [self._of(e, before.get(e.id), began, now) for e in counted]
        return Step(
            tokens=total(step.tokens for step in steps),
            late_tokens=sum(step.late_tokens for step in steps),
            estimated=any(step.estimated for step in steps),
            gaps=tuple(each for step in steps for each in step.gaps),
            arrived=any(step.arrived for step in steps),
        )

    def dump(self) -> list[object]:
        """The counts as plain JSON values."""
        return [self._at, {engine: list(count) for engine, count in self._seen.items()}]

    @classmethod
    def restored(cls, saved: Any) -> "TokenCounts":
        """From what `dump` made.

        Raises TypeError or ValueError where it is something else.
        """
        at, seen = saved
        counts = {str(engine): _restored(count) for engine, count in seen.items()}
        return cls(counts, None if at is None else float(at))

    def _count(self, engine: Engine, now: float) -> _Count:
        before = self._seen.get(engine.id, _Count())
        seen = engine.tokens_seen
        if seen is None or seen.generated is None or engine.state not in COUNTING:
            return before
        at = None if engine.age_s is None else now - engine.age_s
        return _Count(float(seen.generated), at, seen.at_least)

    def _of(self, engine: Engine, before: _Count | None, began: float, now: float) -> Step:
        """One engine's part."""
        present = self._seen[engine.id]
        gap = (engine.id,)
        if engine.state in _HIDING:
            return Step(gaps=gap)
        if engine.state not in COUNTING:
            return Step(tokens=None if before is None or before.total is None else 0.0)
        if present.total is None:
            return _by_rate(engine, before, now - began)
        hidden = gap if _out_of_sight(engine, before, present) else ()
        if before is None or before.total is None or present.total < before.total:
            return Step(present.total, gaps=hidden, arrived=True)
        gained = present.total - before.total
        late = before.at is not None and began - before.at > CAUGHT_UP_S and gained > 0
        return Step(gained, gained if late else 0.0, gaps=hidden)


def _sources(engines: Sequence[Engine]) -> tuple[Engine, ...]:
    """The engines; routers only where no engine reports, as their traffic is the engines'."""
    own = tuple(e for e in engines if not e.router)
    if any(_reports(e) for e in own):
        return own
    return (*own, *(e for e in engines if e.router and _reports(e)))


def _reports(engine: Engine) -> bool:
    return engine.tokens_seen is not None or engine.generation_tokens_per_s is not None


def _by_rate(engine: Engine, before: _Count | None, span_s: float) -> Step:
    """Without a count: the rate it reports; one that has just come may still be read twice."""
    if engine.generation_tokens_per_s is not None:
        made = engine.generation_tokens_per_s * span_s if before is not None else 0.0
        return Step(made, estimated=True)
    return Step(gaps=() if before is None or engine.state == "asleep" else (engine.id,))


def _out_of_sight(engine: Engine, before: _Count | None, present: _Count) -> bool:
    """Whether some of its tokens were not seen: its counters have no rate, or a lower bound."""
    if before is None or before.total is None:
        return engine.rate_at_least
    unread = engine.state == "online" and engine.generation_tokens_per_s is None
    return unread or engine.rate_at_least or (present.at_least and not before.at_least)


def _restored(saved: Sequence[object]) -> _Count:
    total_, at, at_least = saved
    return _Count(_number(total_), _number(at), at_least is True)


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)
