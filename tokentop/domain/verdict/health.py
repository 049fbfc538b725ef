"""Members -> the health of each pool and of the whole, with reasons."""

from collections.abc import Iterable, Sequence

from tokentop.domain.verdict.values import Health, HealthState, Member, Reason

_ORDER: tuple[HealthState, ...] = ("ok", "starting", "degraded", "down")
_WORST_FIRST = ("down", "degraded", "starting", "serving")


def pool_health(members: Sequence[Member]) -> HealthState:
    """Down when none serves and one is down; degraded when some serve and some do not.

    One that starts within its grace beside one that serves is no trouble.
    """
    standings = {member.standing for member in members}
    if not standings:
        return "unknown"
    if "serving" in standings:
        return "degraded" if standings & {"down", "degraded"} else "ok"
    return next(state for state in ("down", "starting", "degraded") if state in standings)


def stack_health(members: Sequence[Member], *, answers: bool) -> HealthState:
    """As `pool_health`; down also where no queue source and no GPU source `answers`."""
    return "down" if members and not answers else pool_health(members)


def whole(states: Iterable[HealthState], reasons: Iterable[Reason]) -> Health:
    """The worst of the pools; unknown where there is none."""
    found = [state for state in states if state != "unknown"]
    worst = max(found, key=_ORDER.index, default=None)
    return Health(worst or "unknown", tuple(reasons))


def member_reasons(members: Iterable[Member]) -> list[Reason]:
    """The members' own reasons, those that are down first, each kind in the order of names."""
    ranked = sorted(members, key=_rank)
    return [member.reason for member in ranked if member.reason is not None]


def _rank(member: Member) -> tuple[int, str, str]:
    return _WORST_FIRST.index(member.standing), member.pool.casefold(), member.id
