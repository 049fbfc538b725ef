"""Every budget's account, what each project spent today, and what people stopped."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import tzinfo

from tokentop.domain.budgets.account import Account
from tokentop.domain.budgets.authority import (
    Asker,
    Refusal,
    Throttle,
    first,
    is_throttled,
    spent_refusal,
    throttle_refusal,
)
from tokentop.domain.budgets.today import Today
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import iso
from tokentop.domain.ledger.totals import SUMMED, Totals, totals
from tokentop.domain.policy import BudgetPeriod, BudgetRule
from tokentop.domain.snapshot_ledger import Budget, LedgerFigures, Project


class BudgetBook:
    """Follows entries; times are Unix microseconds.

    `names` has the name of each user with a budget by the ledger's id.
    """

    def __init__(self, rules: Sequence[BudgetRule], zone: tzinfo) -> None:
        self.names: Mapping[str, str] = {}
        self.today = Today(zone)
        self.accounts = tuple(Account(rule, zone) for rule in rules)
        self._paying: defaultdict[tuple[str, str | None], list[Account]] = defaultdict(list)
        self._throttles: dict[Account, Throttle] = {}
        for account in self.accounts:
            self._paying[account.rule.scope, account.rule.who].append(account)
            if account.rule.throttle:
                self._throttles[account] = Throttle(account.rule.throttle)
        self._decided: dict[str, tuple[int, str]] = {}

    def paying(self, asker: Asker) -> list[Account]:
        """The accounts that pay for what this user, project and team does."""
        payers = (("user", asker.user), ("project", asker.project), ("team", asker.team))
        return [account for payer in payers for account in self._paying.get(payer, ())]

    def book(self, entry: Entry) -> None:
        """Add usage or a reversal, take a decision, move credits; others change nothing here."""
        if entry.kind == "decision":
            self.decide(entry.project or "", entry.outcome, entry.at_us)
        if entry.kind == "transfer":
            self._move(entry)
        if entry.kind not in SUMMED:
            return
        amounts = totals(entry)
        for account in self.paying(self.asker(entry.user_id, entry.project, entry.team)):
            account.book(entry.at_us, amounts, entry.project)
        self.today.add(entry.at_us, entry.project, amounts)

    def _move(self, entry: Entry) -> None:
        """A transfer changes what a project may spend, in its period."""
        moved = {"credits": entry.milli_credits, "usd": entry.micro_usd, "tokens": None}
        for account in self._paying.get(("project", entry.project), ()):
            account.grant(entry.at_us, moved[account.rule.unit] or 0)

    def carry(self, period: BudgetPeriod, at_us: int, asker: Asker, amounts: Totals) -> None:
        """Add sums over one period: to the budgets of that period, and a day's to its projects."""
        for account in self.paying(asker):
            if account.rule.period == period:
                account.carry(at_us, amounts, asker.project)
        if period == "day":
            self.today.add(at_us, asker.project, amounts)

    def heat(self, at_us: int, asker: Asker, amounts: Totals) -> None:
        """Count sums of a moment in the burn only."""
        for account in self.paying(asker):
            account.heat(at_us, amounts, asker.project)

    def asker(self, user_id: str | None, project: str | None, team: str | None) -> Asker:
        """The user, by name, the project and the team of an entry."""
        return Asker(self.names.get(user_id or ""), project, team)

    def decide(self, project: str, outcome: str, at_us: int) -> None:
        """Take a person's decision, "stop" or "resume"; the latest holds."""
        if at_us >= self._decided.get(project, (0, ""))[0]:
            self._decided[project] = (at_us, outcome)

    def why_stopped(self, project: str | None) -> str | None:
        """Why a project may spend nothing by a person's decision, as a sentence; None if it may."""
        at_us, outcome = self._decided.get(project or "", (0, ""))
        return f"project {project} was stopped at {iso(at_us)}" if outcome == "stop" else None

    def refusal(self, asker: Asker, now_us: int) -> Refusal | None:
        """Why a request may not be made; None where it may, which a throttle counts.

        Called by one thread; another may book meanwhile.
        """
        stopped = self.why_stopped(asker.project)
        if stopped is not None:
            return Refusal("stopped", stopped)
        paying = self.paying(asker)
        throttled = [
            (each, self._throttles[each])
            for each in paying
            if each in self._throttles and is_throttled(each, asker.project, now_us)
        ]
        found = first(spent_refusal(each, asker.project, now_us) for each in paying)
        found = found or first(throttle_refusal(*each, now_us) for each in throttled)
        if found is None:
            for _, throttle in throttled:
                throttle.take(now_us)
        return found

    def figures(self, now_us: int) -> LedgerFigures:
        """Budgets and today's sums at a moment."""
        found = self.today.figures(now_us)
        there = {project.name for project in found.projects}
        stopped = (name for name in self._decided if name not in there and self.why_stopped(name))
        projects = (*found.projects, *(Project(name, 0) for name in sorted(stopped)))
        return found._replace(
            budgets=tuple(self._budget(account, now_us) for account in self.accounts),
            projects=tuple(self._with_stop(project, now_us) for project in projects),
        )

    def _budget(self, account: Account, now_us: int) -> Budget:
        rule = account.rule
        decided = rule.scope == "project" and self.why_stopped(rule.who) is not None
        return account.budget(now_us, stopped=decided)

    def _with_stop(self, project: Project, now_us: int) -> Project:
        """A project with the reason that it may spend nothing, a person's before a budget's."""
        own = self._paying.get(("project", project.name), ())
        refusal = first(spent_refusal(account, None, now_us) for account in own)
        why = self.why_stopped(project.name) or (refusal and refusal.text)
        return project._replace(stopped=why is not None, why=why)
