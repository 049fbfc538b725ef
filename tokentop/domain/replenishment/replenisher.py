"""Budgets that run out, each looked at once: replenished by the rules, or reviewed by a person."""

from collections.abc import Callable, Collection, Iterable

from tokentop.domain.detector.flags import Raised, flag_id
from tokentop.domain.detector.tasks import Group, TaskId
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.record import Record
from tokentop.domain.policy import ReplenishmentPolicy
from tokentop.domain.recent import Recent
from tokentop.domain.replenishment import records
from tokentop.domain.replenishment.rules import Decision, decide
from tokentop.domain.snapshot_ledger import Budget

MOST_PROJECTS = 2_000
REVIEW = "budget review"


class Replenisher:
    """What becomes of each project's budget. Repeating a decision books nothing: it has one name.

    That name holds the limit, which a replenishment raises, so the next one has another.
    """

    def __init__(self) -> None:
        self._teams: Recent[str, str] = Recent(MOST_PROJECTS)  # by project, as seen last
        self._done: Recent[str, bool] = Recent(MOST_PROJECTS)

    def book(self, entries: Iterable[Entry]) -> None:
        """Learn which team each project belongs to."""
        for entry in entries:
            if entry.project and entry.team and entry.kind == "usage":
                self._teams.put(entry.project, entry.team)

    def check(
        self,
        budgets: Collection[Budget],
        velocity: Callable[[str], float | None],
        policy: ReplenishmentPolicy,
        now_us: int,
        reserved: Collection[str] = (),
    ) -> tuple[list[Record], list[Raised]]:
        """Transfers to book, and reviews to raise as flags.

        `reserved` are the projects that spend an innovation reserve: nothing is done about them.
        """
        transfers: list[Record] = []
        reviews: list[Raised] = []
        for budget in budgets:
            name = f"{budget.name}:{budget.who}:{budget.ends_at}:{budget.limit:g}"
            team = self._team(budget.who, budgets)
            found = decide(budget, velocity(budget.who), team, policy)
            if found is None or name in self._done or budget.who in reserved:
                continue
            self._done.put(name, True)
            if found.action == "review":
                reviews.append(_review(found, budget, name, now_us))
            else:
                team_name = team.who if team else None
                amount = found.milli_credits
                transfers += records.replenishment(name, team_name, budget.who, amount, now_us)
        return transfers, reviews

    def _team(self, project: str, budgets: Collection[Budget]) -> Budget | None:
        """The budget of a project's team: one that is spent, else that in credits with least left.

        None where its team is not known, or has no budget.
        """
        team = self._teams.get(project)
        found = [each for each in budgets if each.scope == "team" and each.who == team]
        return min(found, key=_room, default=None)


def _room(team: Budget) -> tuple[bool, bool, float]:
    left = team.limit - team.spent
    return left > 0, team.unit != "credits", left


def _review(decision: Decision, budget: Budget, name: str, now_us: int) -> Raised:
    task = TaskId(Group(decision.project, "", REVIEW, "request"), name)
    cost, limit = round(budget.spent * 1000), round(budget.limit * 1000)
    return Raised(
        flag_id(task), now_us, cost, limit, task, f"{REVIEW}: {decision.why}", about="review"
    )
