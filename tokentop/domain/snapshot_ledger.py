"""The ledger's part of the snapshot: budgets with their clocks, flagged tasks, projects' velocity.

Amounts are in the unit that stands beside them; rates are per hour, times seconds.
"""

from tokentop.domain.policy import BudgetPeriod, BudgetScope, BudgetUnit
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

BudgetState = Literal["ok", "warning", "spent", "throttled", "stopped"]
FlagKind = Literal["task", "concentration", "review"]
Classification = Literal["fine", "defer", "halt"]


class Budget(NamedTuple):
    """What one user, project or team may spend in one period, and how long that lasts.

    `spent` of `limit` is without the innovation reserve, which is accounted apart. `burn_per_hour`
    is the present rate. `zero_in_s` is the time to zero at that burn: 0 where all is spent, None
    where nothing burns or the burn is unknown. `left_at_end` is what would be left at the end of
    the period, negative where it does not suffice; None for a total. `share` is `spent` of `limit`,
    None where that is 0; `threshold` is the highest that was passed, a ratio. `estimated` marks
    sums with estimates in them, `unknown` counts the entries whose amount in this unit is unknown:
    the sum is a lower bound then.
    """

    name: str
    scope: BudgetScope
    who: str
    period: BudgetPeriod
    unit: BudgetUnit
    limit: float
    spent: float
    reserve: float | None = None
    reserve_spent: float | None = None
    burn_per_hour: float | None = None
    zero_in_s: float | None = None
    left_at_end: float | None = None
    threshold: float | None = None
    state: BudgetState = "ok"
    estimated: bool = False
    unknown: int = 0
    ends_at: str | None = None  # RFC 3339
    share: float | None = None


class Flag(NamedTuple):
    """A task beyond three times its baseline, or several projects beyond a limit together.

    A review is a project's budget that runs out without enough reported value: `task` says why,
    `cost` of `expected` is spent.

    `cost` and `expected` are credits; `expected` is None for a concentration, whose `projects` are
    those that share in it, and whose `task` is the limit. `precedent` is the classification of the
    same kind of flag before; `escalated` is true while a person has to see it. `running`: the task
    still spends.
    """

    id: str
    kind: FlagKind
    at: str
    projects: tuple[str, ...]
    model: str | None = None
    task: str | None = None
    cost: float | None = None
    expected: float | None = None
    running: bool = False
    escalated: bool = True
    precedent: Classification | None = None
    classified: Classification | None = None


class Project(NamedTuple):
    """What a project spent today and what came of it.

    `velocity` is USD of reported business value per credit over the window; None without either.
    `stopped` is true where a person or a budget ended its spending, for the reason `why`.
    """

    name: str
    requests: int
    tokens: int | None = None
    credits: float | None = None
    usd: float | None = None
    velocity: float | None = None
    stopped: bool = False
    why: str | None = None


class LedgerFigures(NamedTuple):
    """The ledger at one moment. `age_s` is the time since it was last read.

    `today_*` are sums since midnight in the ledger's time zone, over all projects. `unattributed`
    are tokens that engines generated today and no event claims, `overclaimed` those claimed beyond
    what engines generated; None where engines and ledger cannot be compared. `to_classify` flags
    are left in the calibration epoch, 0 after it. `decides` is "open" or "closed" where the
    decision about spending cannot be made and that choice holds; None where it can.
    """

    budgets: tuple[Budget, ...] = ()
    projects: tuple[Project, ...] = ()
    flags: tuple[Flag, ...] = ()
    to_classify: int | None = None
    today_requests: int = 0
    today_tokens: int | None = None
    today_credits: float | None = None
    today_usd: float | None = None
    unattributed: int | None = None
    overclaimed: int | None = None
    decides: Literal["open", "closed"] | None = None
    entries: int = 0
    age_s: float | None = None
    note: str | None = None
