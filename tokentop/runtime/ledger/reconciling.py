"""What engines generated today against what events claim of it, as a part of the accounts."""

from collections.abc import Sequence
from datetime import tzinfo
from threading import Lock

from tokentop.domain.budgets.period import span
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US, MINUTE_US
from tokentop.domain.ledger.reconciliation import Reconciliation
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.transport.ledger.claims import reconciled
from tokentop.transport.ledger.database import Database


class Reconciling:
    """A part of Accounts: today's unattributed and overclaimed tokens. Called from any thread.

    They are computed anew whenever an engine's counter was booked.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._lock = Lock()
        self._today = span("day", 0, zone)
        self._found = Reconciliation()
        self._differences: tuple[int, int] | None = None

    def _start(self, now_us: int) -> None:
        """Begin another day, with what is known of it already: it may be booked before midnight is
        noticed here, and feeds' clocks may be fast."""
        self._today = span("day", now_us, self._zone)
        self._found.forget(self._today.start_us // MINUTE_US)
        self._differences = self._found.differences()

    def load(self, db: Database, now_us: int) -> None:
        """Begin with what the ledger holds of today; figures are there while it is read."""
        today = span("day", now_us, self._zone)
        found = reconciled(db, today.start_us, now_us + DAY_US)
        differences = found.differences()
        with self._lock:
            self._today, self._found, self._differences = today, found, differences

    def book(self, entries: Sequence[Entry]) -> None:
        """Take entries that were booked since."""
        today = [each for each in entries if each.at_us >= self._today.start_us]
        with self._lock:
            self._found.take(today)
            if any(each.kind == "count" for each in today):
                self._differences = self._found.differences()

    def figures(self, figures: LedgerFigures, now_us: int) -> LedgerFigures:
        """The figures with the differences of today."""
        with self._lock:
            if self._today.end_us is not None and now_us >= self._today.end_us:
                self._start(now_us)
            if self._differences is None:
                return figures
            unattributed, overclaimed = self._differences
        return figures._replace(unattributed=unattributed, overclaimed=overclaimed)
