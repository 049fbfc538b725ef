"""The metrics of the ledger: of each budget, each project, and the whole."""

from collections.abc import Callable

from tokentop.domain.snapshot_ledger import Budget, LedgerFigures, Project
from tokentop.light_typing import TypeVar

Row = TypeVar("Row")
Figure = tuple[str, str, Callable[[Row], float | None]]

BUDGET: tuple[Figure[Budget], ...] = (
    ("limit", "What may be spent in the period, in the budget's unit, without the reserve.",
     lambda b: b.limit),
    ("spent", "What was spent in the period; a lower bound with unknown_requests.",
     lambda b: b.spent),
    ("reserve_limit", "The innovation reserve.", lambda b: b.reserve),
    ("reserve_spent", "What was spent of the innovation reserve.", lambda b: b.reserve_spent),
    ("burn_per_hour", "What is spent an hour at the present rate.", lambda b: b.burn_per_hour),
    ("zero_seconds", "Time until all is spent at the present rate.", lambda b: b.zero_in_s),
    ("left_at_end", "What would be left at the end of the period.", lambda b: b.left_at_end),
    ("unknown_requests", "Requests whose amount is unknown.", lambda b: b.unknown),
)  # fmt: skip

LEDGER: tuple[Figure[LedgerFigures], ...] = (
    ("entries", "Entries in the ledger.", lambda one: one.entries),
    ("age_seconds", "Time since the ledger was last read.", lambda one: one.age_s),
    ("undecided", "1 where it cannot be read, and authorize.failure_mode decides.",
     lambda one: one.decides is not None),
    ("flags_waiting", "Flags that wait for a person, of those that are shown.",
     lambda one: sum(flag.escalated for flag in one.flags)),
    ("flags_to_classify", "Flags left in the calibration epoch.", lambda one: one.to_classify),
)  # fmt: skip

PROJECT: tuple[Figure[Project], ...] = (
    ("requests_today", "Requests since midnight.", lambda p: p.requests),
    ("tokens_today", "Tokens since midnight.", lambda p: p.tokens),
    ("credits_today", "Credits since midnight.", lambda p: p.credits),
    ("usd_today", "USD since midnight.", lambda p: p.usd),
    ("velocity", "USD of reported business value per credit.", lambda p: p.velocity),
    ("stopped", "1 where nothing more is authorized.", lambda p: p.stopped),
)
