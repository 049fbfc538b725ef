"""Budgets and today's sums that follow a ledger: what it holds at first, then entry by entry."""

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from threading import Lock

from tokentop.domain.budgets.authority import Asker, Refusal
from tokentop.domain.budgets.book import BudgetBook
from tokentop.domain.budgets.burn import SLOT_US
from tokentop.domain.budgets.period import span
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import HOUR_US
from tokentop.domain.policy import BudgetPeriod, BudgetRule
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.light_typing import Protocol, get_args
from tokentop.transport.ledger import following, reader
from tokentop.transport.ledger.database import Database, LedgerError

AT_ONCE = 50  # entries between two moments at which figures may be read
MOST_IDS = 100_000  # of users without a budget
FOR_EVER_US = 2**60
PAYERS = ("user_id", "project", "team")


class Part(Protocol):
    """What else follows the ledger and has figures of its own, like the detector."""

    def load(self, db: Database, now_us: int) -> None:
        """Begin with what the ledger holds; nothing is booked meanwhile."""

    def book(self, entries: Sequence[Entry]) -> None:
        """Take entries that were booked after that, each once and in its chain's order."""

    def figures(self, figures: LedgerFigures, now_us: int) -> LedgerFigures:
        """The figures with its own."""


class Accounts:
    """The one place from which a snapshot's ledger comes. Times are Unix microseconds.

    `follow` belongs to one thread, `refusal` to one, everything else may be called from any.
    """

    def __init__(
        self,
        open_db: Callable[[], Database],
        rules: Sequence[BudgetRule],
        zone: tzinfo,
        parts: Sequence[Part] = (),
    ) -> None:
        self._open_db = open_db
        self._db: Database | None = None
        self._rules, self._zone = tuple(rules), zone
        self._parts = parts
        self._following = Lock()  # by one thread at a time
        self._lock = Lock()  # the sums: held briefly, since a screen waits for it
        self._book = BudgetBook((), zone)
        self._loaded = False
        self._last: dict[str, int] = {}
        self._users: set[str] = set()  # with a budget, and the ids of others
        self._others: set[str] = set()
        self._read_us: int | None = None
        self._note: str | None = None

    def configure(self, rules: Sequence[BudgetRule], zone: tzinfo) -> None:
        """Take other budgets; their sums are read at the next `follow`."""
        with self._lock:
            if (tuple(rules), zone) != (self._rules, self._zone):
                self._rules, self._zone, self._loaded = tuple(rules), zone, False

    def follow(self, now_us: int) -> None:
        """Read what is new; a ledger that cannot be read is a note in the figures."""
        try:
            db = self._db = self._db or self._open_db()
            with self._following:
                if not self._loaded:
                    self._load(db, now_us)
                self._catch_up(db)
        except LedgerError as error:
            self.fail(str(error))
        else:
            self._read_us, self._note = now_us, None

    def _catch_up(self, db: Database) -> None:
        """Take what was booked since, page by page."""
        entries = reader.entries_after(db, dict(self._last))
        while part := list(islice(entries, AT_ONCE)):
            self._name_users(db, part)  # after they were read: a name is there before its entries
            self._take(part)

    def fail(self, reason: str) -> None:
        """Show why the ledger cannot be read; it is opened anew at the next `follow`."""
        self._note = reason
        self.close()

    def close(self) -> None:
        """Let go of the database; `follow` opens it again."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def book(self, entries: Sequence[Entry]) -> None:
        """Take entries the moment they are booked, so that `follow` need not find them.

        Those that are not next in their chain, or of users without a known name, are left to it,
        and all of them while it reads.
        """
        if not self._following.acquire(blocking=False):
            return
        try:
            for start in range(0, len(entries) if self._loaded else 0, AT_ONCE):
                self._take(self._next(entries[start : start + AT_ONCE]))
        finally:
            self._following.release()

    def figures(self, now_us: int) -> LedgerFigures:
        """The ledger as of now."""
        with self._lock:
            found = self._book.figures(now_us)
            entries = sum(self._last.values())
        for part in self._parts:
            found = part.figures(found, now_us)
        age_s = None if self._read_us is None else max(0.0, (now_us - self._read_us) / 1e6)
        return found._replace(entries=entries, age_s=age_s, note=self._note or found.note)

    @property
    def state(self) -> tuple[object, ...]:
        """What is another one after entries, other budgets, or a failure."""
        with self._lock:
            return (*self._last.items(), self._book, self._note)

    def refusal(self, asker: Asker, now_us: int) -> Refusal | None:
        """Why a request may not be made; None where it may. It waits for no lock.

        Called by one thread.
        """
        return self._book.refusal(asker, now_us)

    def readable(self, now_us: int, within_s: float) -> bool:
        """Whether the sums are those of the ledger, at most so many seconds ago."""
        return self._read_us is not None and now_us - self._read_us <= within_s * 1e6

    def _take(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            for entry in entries:
                self._last[entry.writer] = entry.seq
                self._book.book(entry)
        for part in self._parts:
            part.book(entries)

    def _next(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those before which nothing is missing in their chains, whose users' names are known."""
        last, found = dict(self._last), []
        for entry in entries:
            if not self._unidentified([entry]) and entry.seq == last.get(entry.writer, 0) + 1:
                last[entry.writer] = entry.seq
                found.append(entry)
        return found

    def _unidentified(self, entries: Sequence[Entry]) -> set[str]:
        """Ids that may be those of users with a budget: none where all of these are known."""
        if len(self._book.names) >= len(self._users):
            return set()
        ids = {entry.user_id for entry in entries if entry.user_id is not None}
        return ids - self._book.names.keys() - self._others

    def _name_users(self, db: Database, entries: Sequence[Entry]) -> None:
        if unidentified := self._unidentified(entries):
            self._book.names = following.ids(db, self._users)
            self._others = self._others if len(self._others) < MOST_IDS else set()
            self._others |= unidentified - self._book.names.keys()

    def _load(self, db: Database, now_us: int) -> None:
        """Begin anew; writers wait meanwhile, so that nothing is counted twice or missed."""
        rules, zone = self._rules, self._zone
        with db.transaction():
            last = following.heads(db)
            book = budget_book(db, rules, zone, now_us)
            slots = list(following.slots(db, SLOT_US, now_us - HOUR_US))
            for part in self._parts:
                part.load(db, now_us)
        for slot in slots:
            book.heat(slot.at_us, book.asker(slot.user_id, slot.project, slot.team), slot.totals)
        book.figures(now_us)  # begins the present periods, so that the first decision need not
        with self._lock:
            self._book, self._last, self._users = book, last, _users(rules)
            self._others = {slot.user_id or "" for slot in slots} - book.names.keys()
            self._loaded = (rules, zone) == (self._rules, self._zone)


def budget_book(db: Database, rules: Sequence[BudgetRule], zone: tzinfo, now_us: int) -> BudgetBook:
    """What was spent of each budget up to now, within a transaction."""
    book = BudgetBook(rules, zone)
    book.names = following.ids(db, _users(rules))
    for period in get_args(BudgetPeriod):
        _carry(book, db, period, now_us, zone)
    for kind in ("decision", "transfer"):
        for entry in following.records(db, kind):
            book.book(entry)
    return book


def _users(rules: Sequence[BudgetRule]) -> set[str]:
    return {rule.who for rule in rules if rule.scope == "user"}


def _carry(book: BudgetBook, db: Database, period: BudgetPeriod, now_us: int, zone: tzinfo) -> None:
    """Add the sums of this period, and of the next one, where a feed's clock is fast."""
    if period != "day" and not any(each.rule.period == period for each in book.accounts):
        return
    for at_us, since_us, until_us in _spans(period, now_us, zone):
        for keys, totals in reader.sums(db, PAYERS, since_us, until_us):
            user_id, project, team = (None if key is None else str(key) for key in keys)
            book.carry(period, at_us, book.asker(user_id, project, team), totals)


def _spans(period: BudgetPeriod, now_us: int, zone: tzinfo) -> Iterator[tuple[int, int, int]]:
    """A moment of each period with the beginning and the end of what is summed for it."""
    start_us, end_us = span(period, now_us, zone)
    yield now_us, start_us, end_us or FOR_EVER_US
    if end_us is not None:
        yield end_us, end_us, FOR_EVER_US
