"""Limits that several projects exceed together while each of them keeps its own."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping

from tokentop.domain.detector.flags import Raised, flag_id
from tokentop.domain.detector.tasks import Group, TaskId
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import HOUR_US, MINUTE_US
from tokentop.domain.ledger.totals import SUMMED
from tokentop.domain.recent import Recent
from tokentop.domain.snapshot_ledger import Budget

MOST_PROJECTS = 2_000  # in one minute; what more of them spend is not counted
ALONE = 0.8  # a project with a greater share of what was spent explains the excess by itself
MACHINE = "the machine"
Spender = tuple[str, str]  # team and project


class Spending:
    """What each project has spent in the last hour, minute by minute, in milli-credits."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, Counter[Spender]]] = deque()

    def book(self, entries: Iterable[Entry]) -> None:
        """Take in entries of usage, by the time at which they were booked."""
        for entry in entries:
            if entry.kind in SUMMED and entry.milli_credits and entry.project:
                self._add((entry.team or "", entry.project), entry)

    def _add(self, spender: Spender, entry: Entry) -> None:
        minute = entry.booked_us // MINUTE_US
        if entry.at_us < entry.booked_us - HOUR_US:
            return
        if not self._minutes or self._minutes[-1][0] < minute:
            self._minutes.append((minute, Counter()))
        last = self._minutes[-1][1]
        if spender in last or len(last) < MOST_PROJECTS:
            last[spender] += entry.milli_credits or 0
        while self._minutes[0][0] <= minute - 60:
            self._minutes.popleft()

    def last_hour(self, now_us: int, team: str | None = None) -> dict[str, int]:
        """Milli-credits of each project, of one team where it is given."""
        found: Counter[str] = Counter()
        for minute, spent in self._minutes:
            if minute > now_us // MINUTE_US - 60:
                for (of_team, project), amount in spent.items():
                    if team is None or team == of_team:
                        found[project] += amount
        return {project: amount for project, amount in found.items() if amount > 0}


class Concentration:
    """Raises a flag when a limit begins to be exceeded together; once until that has ended."""

    def __init__(self) -> None:
        self._held_us: Recent[str, int] = Recent(MOST_PROJECTS)  # by scope, when it last was

    def check(
        self, spending: Spending, budgets: Collection[Budget], machine: float | None, now_us: int
    ) -> tuple[Raised, ...]:
        """New flags. `machine` is what all projects may spend, in credits an hour; None: no limit.

        A limit that was exceeded within the last hour is exceeded still.
        """
        beyond = {each.who for each in budgets if each.scope == "project" and _is_over(each)}
        found = []
        for scope, spent, limit in _exceeded(spending, budgets, machine, now_us):
            projects = _sharing(spent, beyond)
            if projects:
                before = self._held_us.get(scope)
                self._held_us.put(scope, now_us)
                if before is None or now_us - before > HOUR_US:
                    found.append(_raised(scope, spent, limit, projects, now_us))
        return tuple(found)


def _exceeded(
    spending: Spending, budgets: Collection[Budget], machine: float | None, now_us: int
) -> Iterator[tuple[str, Mapping[str, int], int]]:
    """Each limit of several projects that does not hold, and what they have spent of late."""
    everyone = {} if machine is None else spending.last_hour(now_us)
    if machine is not None and sum(everyone.values()) > machine * 1000:
        yield MACHINE, everyone, round(machine * 1000)
    for budget in budgets:
        if budget.scope == "team" and _is_over(budget):
            spent = spending.last_hour(now_us, budget.who)
            yield f"team {budget.who}", spent, sum(spent.values())


def _is_over(budget: Budget) -> bool:
    """Whether a budget is spent, or will be before its period ends."""
    return budget.spent > budget.limit or (budget.left_at_end or 0) < 0


def _sharing(spent: Mapping[str, int], beyond: Collection[str]) -> tuple[str, ...]:
    """The projects that spend together, most first; none where one of them explains it alone."""
    alone = max(spent.values(), default=0) > ALONE * sum(spent.values())
    if not spent or alone or any(project in beyond for project in spent):
        return ()
    return tuple(sorted(spent, key=lambda project: -spent[project]))[:10]


def _raised(
    scope: str, spent: Mapping[str, int], limit: int, projects: tuple[str, ...], now_us: int
) -> Raised:
    task = TaskId(Group(scope, "", "", "request"), str(now_us // HOUR_US))
    cost = sum(spent.values())
    return Raised(flag_id(task), now_us, cost, limit, task, None, projects, "concentration")
