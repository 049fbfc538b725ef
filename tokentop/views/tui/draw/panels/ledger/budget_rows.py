"""Budgets, and projects without one, as rows: order, filter, which columns fit."""

from collections.abc import Callable, Sequence

from tokentop.domain.numbers import ratio
from tokentop.domain.policy import BudgetScope
from tokentop.domain.snapshot_ledger import (
    Budget,
    BudgetState,
    Flag,
    LedgerFigures,
    Project,
)
from tokentop.domain.spending import zero_in_s
from tokentop.domain.text import known
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.table import Column

RISING = ("clock", "name", "left", "state")  # the others begin with the largest
_NAME, _BAR = 20, 12  # cells of the longest name, and of the shortest bar
_STATES: tuple[BudgetState | None, ...] = (
    "stopped", "spent", "throttled", "warning", "ok", None,
)  # fmt: skip


class Row(NamedTuple):
    """One budget, or a project that has none, with the project's figures and its flags."""

    scope: BudgetScope
    who: str
    budget: Budget | None = None
    project: Project | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def key(self) -> str:
        """What the cursor stands on: it stays on its budget whatever the order."""
        return f"{self.scope} {self.who} {self.budget.name if self.budget else ''}"

    @property
    def state(self) -> BudgetState | None:
        """The budget's, unless a person stopped the project; None without a budget."""
        if self.project is not None and self.project.stopped:
            return "stopped"
        return self.budget.state if self.budget else None


def all_rows(figures: LedgerFigures) -> list[Row]:
    """A row for each budget, then one for each project without."""
    projects = {project.name: project for project in figures.projects}
    rows = [
        Row(b.scope, b.who, b, projects.get(b.who) if b.scope == "project" else None)
        for b in figures.budgets
    ]
    named = {row.who for row in rows if row.scope == "project"}
    rows += [Row("project", p.name, None, p) for p in figures.projects if p.name not in named]
    return [row._replace(flags=_flags(row, figures.flags)) for row in rows]


def _flags(row: Row, flags: Sequence[Flag]) -> tuple[Flag, ...]:
    if row.scope != "project":
        return ()
    return tuple(flag for flag in flags if row.who in flag.projects)


def pending(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    """The flags that a person has to classify, those of running tasks first."""
    found = (flag for flag in flags if flag.escalated and flag.classified is None)
    return tuple(sorted(found, key=lambda flag: not flag.running))


def listed(
    figures: LedgerFigures | None, sort: str = "clock", wanted: str = "", *, reverse: bool = False
) -> list[Row]:
    """The rows with every word of the filter, in the order of one column.

    The unknown come last, also reversed.
    """
    found = [row for row in all_rows(figures or LedgerFigures()) if _matches(row, wanted)]
    found.sort(key=lambda row: (row.who.casefold(), row.key), reverse=sort == "name" and reverse)
    if sort == "name":
        return found
    figure = _FIGURES[sort]
    some = [row for row in found if figure(row) is not None]
    none = [row for row in found if figure(row) is None]
    sign = 1 if falls(sort) == reverse else -1
    return sorted(some, key=lambda row: sign * (figure(row) or 0.0)) + none


def falls(sort: str) -> bool:
    """Whether the largest come first; the shortest clock does, and the worst state."""
    return sort not in RISING


def _part(row: Row, field: str) -> float | None:
    """A budget's amount as a part of its limit: budgets have different units."""
    return None if row.budget is None else _signed(getattr(row.budget, field), row.budget.limit)


def _signed(value: float | None, limit: float) -> float | None:
    return value / limit if known(value) and limit > 0 else None


_FIGURES: dict[str, Callable[[Row], float | None]] = {
    "clock": lambda row: zero_in_s(row.budget) if row.budget else None,
    "spent": lambda row: ratio(row.budget.spent, row.budget.limit) if row.budget else None,
    "burn": lambda row: _part(row, "burn_per_hour"),
    "left": lambda row: _part(row, "left_at_end"),
    "velocity": lambda row: row.project.velocity if row.project else None,
    "flags": lambda row: float(len(pending(row.flags))),
    "state": lambda row: float(_STATES.index(row.state)),
}


def _matches(row: Row, wanted: str) -> bool:
    budget = row.budget
    fields = [row.who, row.scope, row.state or "no budget", "flag" if row.flags else ""]
    fields += [budget.name, budget.period, budget.unit] if budget else []
    text = " ".join(fields).casefold()
    return all(word in text for word in wanted.casefold().split())


def place_of(rows: Sequence[Row], cursor: str) -> int:
    """The row under the cursor; the first where it is not listed."""
    return next((i for i, row in enumerate(rows) if row.key == cursor), 0)


def columns(width: int) -> list[Column]:
    """The columns that fit in `width`; name, then bar, take what the others leave."""
    wide = (
        (0, Column("mark", "", 1, "left")),
        (0, Column("name", "who", 0, "left")),
        (140, Column("scope", "of", 7, "left")),
        (112, Column("period", "period", 6, "left")),
        (0, Column("clock", "to zero", 8)),
        (66, Column("bar", "", _BAR, "left")),
        (42, Column("spent", "spent of limit", 19)),
        (104, Column("burn", "burn/h", 8)),
        (116, Column("left", "left at end", 11)),
        (92, Column("velocity", "$/cr", 6)),
        (54, Column("flags", "flags", 5)),
        (72, Column("state", "state", 9, "left")),
    )
    kept = [column for least, column in wide if width >= least]
    spare = max(0, width - sum(c.width for c in kept) - 2 * (len(kept) - 2) - 1)
    wider = {"name": min(spare, _NAME), "bar": _BAR + max(0, spare - _NAME)}
    return [c._replace(width=wider.get(c.key, c.width)) for c in kept]
