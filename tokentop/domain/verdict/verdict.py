"""Members and loads -> the verdict: one function, which every view shows."""

from collections.abc import Iterable, Mapping, Sequence

from tokentop.domain.policy import TierPolicy
from tokentop.domain.verdict import health as health_of
from tokentop.domain.verdict.headline import Words, headline, message
from tokentop.domain.verdict.stack import (
    STACK,
    StackLoad,
    stack_down,
    stack_mode,
    stack_reasons,
    stack_tier,
)
from tokentop.domain.verdict.tiers import HYSTERESIS, TIERS, HeldTier, held, mode_of
from tokentop.domain.verdict.values import (
    Clock,
    Health,
    HealthState,
    Member,
    Mode,
    Pool,
    Reason,
    Tier,
)
from tokentop.light_typing import TYPE_CHECKING, Literal
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:  # imported only where there is an engine
    from tokentop.domain.engines.observation import EngineObservation
    from tokentop.domain.verdict.load import Load

Memory = Mapping[str, HeldTier]  # by pool: what the next verdict compares with


class Question(NamedTuple):
    """All that a verdict is made of.

    `stack` is None where the stack is neither configured nor has ever answered. `stack_answers` is
    true where a queue source or a GPU source answers now. `others` are reasons of members that are
    in no pool: the driver, lost GPUs.
    """

    engines: "tuple[EngineObservation, ...]" = ()
    members: tuple[Member, ...] = ()
    stack: StackLoad | None = None
    stack_members: tuple[Member, ...] = ()
    stack_answers: bool = True
    others: tuple[Reason, ...] = ()
    tiers: TierPolicy = TierPolicy()
    clock: Clock = Clock()
    before: Memory = {}
    words: Words = Words()
    vram_decides: bool = False


class Verdict(NamedTuple):
    """Health and demand; `fullest` is the pool whose figures are the whole's."""

    health: Health = Health()
    tier: Tier | None = None
    mode: Mode | None = None
    message: str = ""
    headline: str = ""
    reasons: tuple[Reason, ...] = ()
    pools: tuple[Pool, ...] = ()
    fullest: Pool | None = None
    age_s: float | None = None
    source: Literal["acta", "local"] = "local"
    memory: Memory = {}


class _Judged(NamedTuple):
    """One pool with what stands behind it."""

    pool: Pool
    reasons: tuple[Reason, ...]
    held: HeldTier | None
    mode: Mode | None
    age_s: float | None
    router: bool = False


def verdict(question: Question) -> Verdict:
    """The verdict on the whole: the worst pool's health, the fullest pool's demand."""
    judged = [_engine_pool(question, name, group) for name, group in _groups(question.members)]
    if question.stack is not None:
        judged.append(_stack_pool(question, question.stack))
    found = _health(question, judged)
    judged = [one for one in judged if not one.router] or judged
    full = _fullest([judged[-1]] if question.vram_decides and question.stack else judged)
    tier = full.pool.tier if full else None
    mode = full.mode if full else None
    shown = full.pool if full else _likeliest(judged)
    said = message(tier, shown, question.words, named=len(judged) > 1)
    return Verdict(
        health=found,
        tier=tier,
        mode=mode,
        message=said,
        headline=headline(found, mode, full.pool if full else None, said, question.words),
        reasons=_demand_reasons(judged, full),
        pools=tuple(one.pool for one in judged),
        fullest=full.pool if full else None,
        age_s=full.age_s if full else None,
        source="acta" if full and _by_acta(full, question) else "local",
        memory={one.pool.model: one.held for one in judged if one.held is not None},
    )


def _groups(members: Iterable[Member]) -> list[tuple[str, list[Member]]]:
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.pool, []).append(member)
    return sorted(groups.items(), key=lambda item: (item[0].casefold(), item[0]))


def _engine_pool(question: Question, name: str, members: Sequence[Member]) -> _Judged:
    from tokentop.domain.verdict.load import load_of, reasons_of, tier_of

    serving = {m.id for m in members if m.standing == "serving"}
    load = load_of(
        name, [one for one in question.engines if one.id in serving and one.figures is not None]
    )
    tier = tier_of(load, load.utilization, question.tiers)
    nearly = tier_of(load, _nearly(load.utilization), question.tiers)
    kept = _held(question, name, tier, nearly)
    pool = _pool(load, kept, health_of.pool_health(members))._replace(at_least=load.at_least)
    member = members[0].id if len(members) == 1 else None
    reasons = tuple(reasons_of(load, member))
    router = all(one.router for one in members)
    return _Judged(pool, reasons, kept, mode_of(pool.tier), load.age_s, router)


def _stack_pool(question: Question, load: StackLoad) -> _Judged:
    members = question.stack_members
    by_acta = load.pressure is not None and not load.stale
    serves = any(one.standing == "serving" for one in members)
    heard = serves and (question.stack_answers or by_acta)
    if members and not heard and not question.vram_decides:
        load = StackLoad(load.model)  # the last answers of a stack that is down are no load of now
    tier = stack_tier(load, load.utilization, question.tiers)
    nearly = stack_tier(load, _nearly(load.utilization), question.tiers)
    kept = _held(question, load.model, tier, nearly)
    pool = _pool(load, kept, health_of.stack_health(members, answers=question.stack_answers))
    mode = stack_mode(load, mode_of(pool.tier), question.tiers)
    return _Judged(pool, tuple(stack_reasons(load, question.tiers)), kept, mode, load.age_s)


def _pool(load: "Load | StackLoad", kept: HeldTier | None, health: HealthState) -> Pool:
    """What is published of one pool's load."""
    return Pool(
        model=load.model,
        tier=kept.tier if kept else None,
        utilization=load.utilization,
        active=load.active,
        queued=load.queued,
        max_slots=load.max_slots,
        kv_cache=load.kv_cache,
        health=health,
        free=load.free,
        slots_estimated=load.slots_estimated,
        kv_estimated=load.kv_estimated,
    )


def _nearly(utilization: float | None) -> float | None:
    return None if utilization is None else min(1.0, utilization + HYSTERESIS)


def _held(question: Question, name: str, tier: Tier | None, nearly: Tier | None) -> HeldTier | None:
    clock = question.clock
    return held(tier, nearly, question.before.get(name), clock.now, clock.interval_s)


def _fullest(judged: Iterable[_Judged]) -> _Judged | None:
    """The fullest of the pools that serve and whose load is known."""
    known = [one for one in judged if one.pool.tier is not None]
    return max(known, key=_fullness, default=None)


def _fullness(one: _Judged) -> tuple[int, float]:
    assert one.pool.tier is not None
    return TIERS.index(one.pool.tier), one.pool.utilization or 0.0


def _likeliest(judged: Sequence[_Judged]) -> Pool | None:
    """The pool to name where none has a tier: the busiest that serves."""
    serving = [one.pool for one in judged if one.pool.health in ("ok", "degraded")]
    return max(serving, key=lambda pool: pool.active or 0, default=None)


def _health(question: Question, judged: Sequence[_Judged]) -> Health:
    reasons = health_of.member_reasons((*question.members, *question.stack_members))
    if any(one.pool.model == STACK and one.pool.health == "down" for one in judged):
        reasons.insert(0, stack_down(question.stack_members))
    states = [one.pool.health for one in judged]
    if question.others and states:
        states.append("degraded")
    if not states:
        missing = Reason("no_engine", question.words.no_engine)
        return Health("degraded" if question.others else "unknown", (*question.others, missing))
    return health_of.whole(states, (*reasons, *question.others))


def _demand_reasons(judged: Sequence[_Judged], full: _Judged | None) -> tuple[Reason, ...]:
    """The fullest pool's reasons first, then the others'."""
    rest = [reason for one in judged if one is not full for reason in one.reasons]
    return (*(full.reasons if full else ()), *rest)


def _by_acta(full: _Judged, question: Question) -> bool:
    stack = question.stack
    return full.pool.model == STACK and stack is not None and stack.pressure is not None
