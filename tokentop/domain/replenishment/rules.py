"""Whether a project's budget is replenished as it runs out, or reviewed by a person."""

from tokentop.domain.policy import ReplenishmentPolicy
from tokentop.domain.snapshot_ledger import Budget
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple


class Decision(NamedTuple):
    """What is to be done about a project's budget, and why; `milli_credits` are to be added."""

    action: Literal["replenish", "review"]
    project: str
    why: str
    milli_credits: int = 0


def decide(
    budget: Budget, velocity: float | None, team: Budget | None, policy: ReplenishmentPolicy
) -> Decision | None:
    """The decision about one budget; None where there is nothing to do.

    `team` is the budget of the project's team, which has its innovation reserve apart: nothing is
    added once it is spent, nor, where it is in credits too, beyond what is left of it.
    """
    if not _runs_out(budget, policy):
        return None
    if velocity is None:
        why = "no value was reported"
        return None if policy.below is None else Decision("review", budget.who, why)
    if policy.above is not None and velocity >= policy.above:
        return _replenished(budget, team, policy)
    if policy.below is not None and velocity < policy.below:
        why = f"its velocity of {velocity:.3g} USD a credit is below {policy.below:g}"
        return Decision("review", budget.who, why)
    return None


def _runs_out(budget: Budget, policy: ReplenishmentPolicy) -> bool:
    ruled = budget.scope == "project" and budget.unit == "credits" and budget.state != "stopped"
    return ruled and budget.limit > 0 and budget.spent >= policy.at * budget.limit


def _replenished(
    budget: Budget, team: Budget | None, policy: ReplenishmentPolicy
) -> Decision | None:
    """As much as the rule says, and no more than the team has left outside of its reserve.

    What the project may spend already is a part of that.
    """
    wanted = policy.share * budget.limit
    left = wanted if team is None else team.limit - team.spent
    if left <= 0:
        why = "its team has nothing left outside of the innovation reserve"
        return Decision("review", budget.who, why)
    if team is not None and team.unit == budget.unit:
        wanted = min(wanted, left - max(0.0, budget.limit - budget.spent))
    milli = int(wanted * 1000)
    return Decision("replenish", budget.who, "its velocity is high", milli) if milli > 0 else None
