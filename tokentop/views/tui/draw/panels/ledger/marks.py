"""Words, colours and signs that the ledger's panels share."""

from math import inf

from tokentop.domain.numbers import ratio
from tokentop.domain.policy import BUDGET_SHORT_S
from tokentop.domain.snapshot_ledger import Budget, BudgetState
from tokentop.domain.spending import zero_in_s
from tokentop.domain.text import BOUND_SIGNS, DASH, fmt_countdown, known
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.glyphs import meter
from tokentop.views.tui.draw.kit.line import DrawOptions, Line

UNITS = {"tokens": "tokens", "credits": "cr", "usd": ""}  # after an amount
_SYMBOLS: dict[BudgetState | None, tuple[str, str]] = {
    "ok": ("●", "+"), "warning": ("▲", "!"), "throttled": ("◐", "~"), "spent": ("■", "#"),
    "stopped": ("×", "X"), None: ("·", "."),
}  # fmt: skip
_STYLES: dict[BudgetState | None, str] = {
    "ok": "active", "warning": "warn", "throttled": "warn", "spent": "error", "stopped": "error",
}  # fmt: skip
_BARS: dict[BudgetState | None, str] = {
    "warning": "area.high", "throttled": "area.high", "spent": "area.saturated",
    "stopped": "area.saturated",
}  # fmt: skip


def symbol(state: BudgetState | None, options: DrawOptions) -> tuple[str, str]:
    """One cell that distinguishes the state without colour, and its style."""
    return _SYMBOLS[state][options.ascii], _STYLES.get(state, "dim")


def word(state: BudgetState | None) -> tuple[str, str]:
    """The state in words; only `ok` and the absence of a budget are grey."""
    return state or "no budget", "dim" if state in ("ok", None) else _STYLES[state]


def clock(budget: Budget | None, options: DrawOptions) -> tuple[str, str]:
    """The time to zero as it is now, `∞` where nothing burns; red below an hour."""
    left = zero_in_s(budget) if budget else None
    if left is None:
        return DASH, "dim"
    if left == inf:
        return "never" if options.ascii else "∞", "dim"
    left = max(0.0, left - options.elapsed_s)
    if left < BUDGET_SHORT_S:
        return fmt_countdown(left), "error"
    runs_out = budget is not None and (budget.left_at_end or 0.0) < 0
    return fmt_countdown(left), "warn" if runs_out else "bright"


def sign(budget: Budget) -> str:
    """`≥` where entries without an amount are missing from the sum, `≈` where some are guesses."""
    if budget.unknown:
        return BOUND_SIGNS["at-least"]
    return BOUND_SIGNS["about"] if budget.estimated else ""


def spent(budget: Budget) -> str:
    """`≥4.2M/10M tokens`: spent of the limit."""
    pair = f"{fmt.amount(budget.spent, budget.unit)}/{fmt.amount(budget.limit, budget.unit)}"
    return f"{sign(budget)}{pair} {UNITS[budget.unit]}".rstrip()


def bar(budget: Budget | None, state: BudgetState | None, width: int) -> Line:
    """Spent of the limit, and behind a rule what of the reserve is spent, each as long as it is."""
    if budget is None:
        return [(" " * width, "text")]
    used, style = ratio(budget.spent, budget.limit), _BARS.get(state, "bar")
    if not known(budget.reserve) or budget.reserve <= 0 or width < 8:
        return meter(used, width, style)
    whole = budget.limit + budget.reserve
    apart = min(width - 4, max(2, round(width * budget.reserve / whole)))
    beside = meter(ratio(budget.reserve_spent, budget.reserve), apart, "bar.alt")
    return [*meter(used, width - apart - 1, style), ("│", "frame"), *beside]
