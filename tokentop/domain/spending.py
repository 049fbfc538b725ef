"""What several views make of the ledger's figures: a budget's clock, and the tightest of all."""

from math import inf

from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.domain.snapshot_ledger import Budget, LedgerFigures


def zero_in_s(budget: "Budget") -> float | None:
    """The time to zero in seconds: infinite where nothing burns, None where it is unknown."""
    if budget.zero_in_s is None and budget.burn_per_hour == 0:
        return inf
    return budget.zero_in_s


def tightest(figures: "LedgerFigures | None") -> "Budget | None":
    """The budget that lasts least of those whose clock is known; one that was stopped has none."""
    known = [
        (left, budget)
        for budget in (figures.budgets if figures else ())
        if budget.state != "stopped" and (left := zero_in_s(budget)) is not None
    ]
    return min(known, key=lambda each: each[0])[1] if known else None
