"""The detector and replenishment as a part of Accounts: flags, velocities, credits that move.

Only a process that `books` raises flags and replenishes; all others have the flags that it booked.
"""

from collections.abc import Iterable, Sequence
from threading import Lock

from tokentop.domain.detector import records, shown
from tokentop.domain.detector.concentration import Concentration, Spending
from tokentop.domain.detector.detector import Detector
from tokentop.domain.detector.flags import Raised
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.ledger.record import Record
from tokentop.domain.policy import BudgetRule, Policy
from tokentop.domain.replenishment.replenisher import Replenisher
from tokentop.domain.replenishment.velocity import MOST_DAYS, Velocities
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger import following, reader, tasks
from tokentop.transport.ledger.database import Database

MOST_WAITING = 1_000  # records
LEARNED = 10_000  # entries that a new process learns baselines from


class _State(NamedTuple):
    """What follows from the ledger."""

    detector: Detector
    spending: Spending
    concentration: Concentration
    velocities: Velocities
    replenisher: Replenisher

    def book(self, entries: Sequence[Entry], *, learn: bool) -> Sequence[Raised]:
        self.spending.book(entries)
        self.replenisher.book(entries)
        return self.detector.book(entries, learn=learn)


def _empty(policy: Policy) -> _State:
    parts = (Spending(), Concentration(), Velocities(), Replenisher())
    return _State(Detector(policy.detector), *parts)


class Watch:
    """May be called from any thread. Times are Unix microseconds.

    A view of one moment `learns` nothing: it cannot say of a flagged task whether it still runs.
    """

    def __init__(self, policy: Policy, *, books: bool = False, learns: bool = True) -> None:
        self.books = books
        self._learns = learns
        self._lock = Lock()
        self._policy = policy
        self._reserved: frozenset[str] = frozenset()  # projects that spend an innovation reserve
        self._state = _empty(policy)
        self._waiting: list[Record] = []

    def configure(self, policy: Policy, budgets: Sequence[BudgetRule] = ()) -> None:
        """Take other rules; they hold from now on."""
        reserved = frozenset(project for rule in budgets for project in rule.reserve_projects)
        with self._lock:
            self._policy, self._state.detector.policy = policy, policy.detector
            self._reserved = reserved

    def load(self, db: Database, now_us: int) -> None:
        """Begin with what the ledger holds: flags with verdicts, then what tasks cost of late."""
        state = _empty(self._policy)
        state.detector.book(following.records(db, "flag"))
        if self._learns:
            state.book(tasks.latest(db, LEARNED, now_us + DAY_US), learn=True)
        _load_velocities(state.velocities, db, now_us)
        with self._lock:
            self._state = state

    def book(self, entries: Sequence[Entry]) -> None:
        """Take in entries as they are booked."""
        with self._lock:
            raised = self._state.book(entries, learn=not self.books)
            for entry in entries:
                self._state.velocities.book(entry)
            self._keep(records.raised(flag) for flag in raised)

    def figures(self, figures: LedgerFigures, now_us: int) -> LedgerFigures:
        """The figures with flags, what is left to classify, and each project's velocity."""
        with self._lock:
            detector, velocities = self._state.detector, self._state.velocities
            days = self._policy.replenishment.window_days
            return figures._replace(
                flags=shown.flags(detector, now_us),
                to_classify=detector.flags.left,
                projects=tuple(
                    each._replace(velocity=velocities.of(each.name, now_us, days))
                    for each in figures.projects
                ),
                note=figures.note or detector.flags.refusal(self._policy.detector),
            )

    def due(self, figures: LedgerFigures, now_us: int) -> list[Record]:
        """What is to be booked: flags, and what follows from the budgets as they stand.

        Give it back with `keep` where that fails.
        """
        with self._lock:
            if self.books:
                self._keep(self._following(figures, now_us))
            found, self._waiting = self._waiting, []
            return found

    def keep(self, found: Iterable[Record]) -> None:
        """Keep records that are to be booked."""
        with self._lock:
            self._keep(found)

    def _following(self, figures: LedgerFigures, now_us: int) -> list[Record]:
        """Concentrations, reviews and replenishments."""
        rules, state = self._policy, self._state
        machine = rules.detector.machine_credits_per_hour
        together = state.concentration.check(state.spending, figures.budgets, machine, now_us)
        moved, reviews = state.replenisher.check(
            figures.budgets,
            lambda project: state.velocities.of(project, now_us, rules.replenishment.window_days),
            rules.replenishment,
            now_us,
            self._reserved,
        )
        flags = (one for one in (*together, *reviews) if state.detector.flags.add(one))
        return [*moved, *map(records.raised, flags)]

    def _keep(self, found: Iterable[Record]) -> None:
        self._waiting = [*self._waiting, *found][-MOST_WAITING:]


def _load_velocities(velocities: Velocities, db: Database, now_us: int) -> None:
    since_us = (now_us // DAY_US - MOST_DAYS) * DAY_US
    for keys, totals in reader.sums(db, ("project", "day"), since_us, now_us + DAY_US):
        project, day = keys
        if project is not None and day is not None:
            velocities.add(str(project), int(day), 0, totals.milli_credits)
    for entry in following.records(db, "value", since_us):
        velocities.book(entry)
