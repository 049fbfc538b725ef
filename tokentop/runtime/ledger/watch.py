"""The detector and replenishment as a part of Accounts: flags, velocities, credits that move.

Only a process that `books` raises concentrations and replenishes; all others read both from the
ledger, where it books them and the flags of tasks. A view of one moment `learns` nothing: it has
the flags that were booked.
"""

from collections.abc import Iterable, Sequence
from threading import Lock

from tokentop.domain.detector import records, shown
from tokentop.domain.detector.concentration import Concentration, Spending
from tokentop.domain.detector.detector import Detector
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.ledger.record import Record
from tokentop.domain.policy import Policy
from tokentop.domain.replenishment.replenisher import Replenisher
from tokentop.domain.replenishment.velocity import MOST_DAYS, Velocities
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.transport.ledger import following, reader, tasks
from tokentop.transport.ledger.database import Database

MOST_WAITING = 1_000  # records
LEARNED = 20_000  # entries that a new process learns baselines from


class Watch:
    """May be called from any thread. Times are Unix microseconds."""

    def __init__(self, policy: Policy, *, books: bool = False, learns: bool = True) -> None:
        self.books = books
        self._learns = learns
        self._lock = Lock()
        self._reset(policy)

    def _reset(self, policy: Policy) -> None:
        self._policy = policy
        self._detector = Detector(policy.detector)
        self._spending = Spending()
        self._concentration = Concentration()
        self._velocities = Velocities()
        self._replenisher = Replenisher()
        self._waiting: list[Record] = []

    def configure(self, policy: Policy) -> None:
        """Take other rules; they hold from now on."""
        with self._lock:
            self._policy, self._detector.policy = policy, policy.detector

    def load(self, db: Database, now_us: int) -> None:
        """Begin with what the ledger holds: flags with verdicts, then what tasks cost of late."""
        with self._lock:
            self._reset(self._policy)
            self._detector.book(following.records(db, "flag"))
            learned = tasks.latest(db, LEARNED, now_us + DAY_US) if self._learns else []
            self._detector.book(learned, learn=True)
            self._spending.book(learned)
            self._replenisher.book(learned)
            self._load_velocities(db, now_us)

    def _load_velocities(self, db: Database, now_us: int) -> None:
        since_us = (now_us // DAY_US - MOST_DAYS) * DAY_US
        for (project, day), totals in reader.sums(
            db, ("project", "day"), since_us, now_us + DAY_US
        ):
            if project is not None and day is not None:
                self._velocities.add(str(project), int(day), 0, totals.milli_credits)
        for entry in following.records(db, "value"):
            if entry.at_us >= since_us:
                self._velocities.book(entry)

    def book(self, entries: Sequence[Entry]) -> None:
        """Take in entries as they are booked, and book the flags that they raise."""
        with self._lock:
            raised = self._detector.book(entries)
            self._spending.book(entries)
            self._replenisher.book(entries)
            for entry in entries:
                self._velocities.book(entry)
            self._keep(records.raised(flag) for flag in raised)

    def figures(self, figures: LedgerFigures, now_us: int) -> LedgerFigures:
        """The figures with flags, what is left to classify, and each project's velocity."""
        with self._lock:
            if self.books:
                self._keep(self._due(figures, now_us))
            return self._with_own(figures, now_us)

    def _with_own(self, figures: LedgerFigures, now_us: int) -> LedgerFigures:
        days = self._policy.replenishment.window_days
        return figures._replace(
            flags=shown.flags(self._detector, now_us),
            to_classify=self._detector.flags.left,
            projects=tuple(
                each._replace(velocity=self._velocities.of(each.name, now_us, days))
                for each in figures.projects
            ),
            note=figures.note or self._detector.flags.refusal(self._policy.detector),
        )

    def _due(self, figures: LedgerFigures, now_us: int) -> list[Record]:
        """What follows from the budgets as they stand: concentrations, replenishments, reviews."""
        policy, flags = self._policy.replenishment, self._detector.flags
        machine = self._policy.detector.machine_credits_per_hour
        together = self._concentration.check(self._spending, figures.budgets, machine, now_us)
        found, reviews = self._replenisher.check(
            figures.budgets,
            lambda project: self._velocities.of(project, now_us, policy.window_days),
            policy,
            now_us,
        )
        return found + [records.raised(one) for one in (*together, *reviews) if flags.add(one)]

    def take(self) -> list[Record]:
        """What is to be booked. Give it back with `keep` where that fails."""
        with self._lock:
            found, self._waiting = self._waiting, []
            return found

    def keep(self, found: Iterable[Record]) -> None:
        """Keep records that are to be booked."""
        with self._lock:
            self._keep(found)

    def _keep(self, found: Iterable[Record]) -> None:
        if self.books:
            self._waiting = [*self._waiting, *found][-MOST_WAITING:]
