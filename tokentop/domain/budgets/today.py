"""What each project spent since midnight."""

from datetime import tzinfo

from tokentop.domain.budgets.account import SCALE, in_unit
from tokentop.domain.budgets.period import Span, span
from tokentop.domain.ledger.totals import Totals, added
from tokentop.domain.policy import BudgetUnit
from tokentop.domain.snapshot_ledger import LedgerFigures, Project

MOST_PROJECTS = 200  # that a snapshot shows: those that spent most tokens
MOST_NAMES = 10_000  # clients may make up projects; what comes after these is summed without one


class Today:
    """Sums by project and day, in Unix microseconds; a day that is over is forgotten."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._day = Span(0, 0)
        self._sums: dict[int, dict[str, Totals]] = {}

    def day(self, at_us: int) -> Span:
        """The day that holds a moment."""
        return self._day if at_us in self._day else span("day", at_us, self._zone)

    def add(self, at_us: int, project: str | None, totals: Totals) -> None:
        """Add to a project's day, "" where there is no project."""
        sums = self._sums.setdefault(self.day(at_us).start_us, {})
        name = project or ""
        if name not in sums and len(sums) >= MOST_NAMES:
            name = ""
        sums[name] = added(sums.get(name, Totals()), totals)

    def figures(self, now_us: int) -> LedgerFigures:
        """Today's sums, and each project's, the greatest first."""
        if now_us not in self._day:
            self._day = self.day(now_us)
            self._sums = {
                key: each for key, each in self._sums.items() if key >= self._day.start_us
            }
        sums = self._sums.get(self._day.start_us, {})
        projects = [_project(name, each) for name, each in sums.items() if name and each.requests]
        projects.sort(key=lambda each: (-(each.tokens or 0), each.name))
        whole = Totals(*map(sum, zip(*sums.values(), strict=True))) if sums else Totals()
        return LedgerFigures(
            projects=tuple(projects[:MOST_PROJECTS]),
            today_requests=whole.requests,
            today_tokens=_tokens(whole),
            today_credits=_amount("credits", whole),
            today_usd=_amount("usd", whole),
        )


def _project(name: str, sums: Totals) -> Project:
    return Project(
        name, sums.requests, _tokens(sums), _amount("credits", sums), _amount("usd", sums)
    )


def _tokens(sums: Totals) -> int | None:
    found = _amount("tokens", sums)
    return None if found is None else int(found)


def _amount(unit: BudgetUnit, sums: Totals) -> float | None:
    """A sum in its unit; None where there are requests, and none has a known amount."""
    found = in_unit(unit, sums)
    if found.amount == 0 and found.unknown > 0 and found.unknown >= sums.requests:
        return None
    return found.amount / SCALE[unit]
