"""The writer that books a request once, however many feeds report it, and corrects what it booked.

A table beside the entries has by what each report is found, for a day. It follows from what was
received; without it late reports would count twice, and verify does not need it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from os import urandom

from tokentop.domain.economy.valuation import Value
from tokentop.domain.ledger.entry import Entry, reversal
from tokentop.domain.ledger.event import DAY_US, HOUR_US, UsageEvent
from tokentop.domain.ledger.matching import ONE_BY_ONE, Link, Matcher, Request
from tokentop.domain.ledger.record import Record
from tokentop.domain.ledger.reports import GUESSED, as_event, probes, session_key
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database
from tokentop.transport.ledger.schema import COLUMNS
from tokentop.transport.ledger.writer import Booked, Check, Writer

CANDIDATES = 2000  # that one batch is held against: hostile ones may all look alike
KEPT_US = DAY_US  # for so long a late report is found
PRUNED_US = HOUR_US  # how often older ones are removed

_COLUMNS = ("key", "identity", "feed", "at_us")
_MOVE = "UPDATE reports SET identity = ? WHERE identity = ?"
_PAIRED = "DELETE FROM reports WHERE identity = ? AND (key LIKE ? OR key LIKE ?)"
_FOUND = "SELECT key, identity FROM reports WHERE key"
_FEEDS = "SELECT identity, feed FROM reports WHERE identity"
_ENTRIES = f"SELECT {COLUMNS} FROM entries WHERE identity"


class MatchingWriter(Writer):
    """Appends to one chain, each request once. Used by one thread, as its base."""

    def __init__(self, db: Database, name: str, value: Callable[[UsageEvent], Value]) -> None:
        super().__init__(db, name, value)
        self._pruned_us: int | None = None

    def append(
        self, given: Iterable[UsageEvent | Record], now_us: int, check: Check | None = None
    ) -> Booked:
        """Book what is not in the ledger yet, and correct what a better report shows otherwise.

        On return it is on the disk. `now_us` is Unix microseconds. The entries are all that were
        added, with the reversals of what was corrected.
        """
        batch = list(given)
        reports = [each for each in batch if isinstance(each, UsageEvent)]
        with self._checked(check):
            self._prune(now_us)
            probed = [probes(report) for report in reports]
            matcher = self._matcher(reports, probed)
            for report, by in zip(reports, probed, strict=True):
                matcher.take(report, by)
            records = self._new_records(batch)
            entries = self._book_all(matcher.requests, records, now_us)
        new = len(records) + sum(request.is_new for request in matcher.requests)
        return Booked(tuple(entries), len(batch) - new)

    def _prune(self, now_us: int) -> None:
        if self._pruned_us is None or now_us - self._pruned_us > PRUNED_US:
            self._pruned_us = now_us
            self._db.execute("DELETE FROM reports WHERE at_us < ?", (now_us - KEPT_US,))

    def _new_records(self, batch: Iterable[UsageEvent | Record]) -> list[Record]:
        records = {each.identity: each for each in batch if isinstance(each, Record)}
        known = self._known(records)
        return [each for name, each in records.items() if name not in known]

    def _matcher(self, reports: Sequence[UsageEvent], probed: Sequence[Sequence[str]]) -> Matcher:
        """The requests in the ledger that a batch may report again."""
        matcher = Matcher(self._known([report.identity for report in reports]))
        wanted = {key for each in probed for key in each}
        wanted |= {key for report in reports if (key := session_key(report)) is not None}
        found = self._db.among(_FOUND, wanted, f"ORDER BY at_us LIMIT {CANDIDATES}")
        requests = self._requests({identity for _, identity in found} - {ONE_BY_ONE})
        links = ((key, requests[name]) for key, name in found if name in requests)
        matcher.load(links, (key for key, name in found if name == ONE_BY_ONE))
        return matcher

    def _requests(self, identities: Collection[str]) -> dict[str, Request]:
        entries = [Entry(*row) for row in self._db.among(_ENTRIES, identities)]
        people = {each for entry in entries for each in (entry.user_id, entry.end_user_id) if each}
        names = reader.names(self._db, people)
        feeds: dict[str, set[str]] = defaultdict(set)
        for name, feed in self._db.among(_FEEDS, identities):
            feeds[name].add(feed)
        reversed_ones = self._known([f"reversal:{name}" for name in identities])
        return {
            entry.identity: Request(
                as_event(entry, names),
                feeds[entry.identity],
                entry,
                final=f"reversal:{entry.identity}" in reversed_ones,
            )
            for entry in entries
        }

    def _book_all(
        self, requests: Iterable[Request], records: Sequence[Record], now_us: int
    ) -> list[Entry]:
        """Book the reversals, then what is new or better, and how later reports find all that."""
        reversals: list[Callable[..., Entry]] = []
        events: list[UsageEvent | Record] = [*records]
        links: list[Link] = []
        for request in requests:
            event = request.event
            if request.entry is not None and request.is_reversed:
                reversals.append(partial(reversal, request.entry))
            if request.is_corrected:
                event = event._replace(identity=f"{event.identity}~{urandom(4).hex()}")
                self._db.execute(_MOVE, (event.identity, request.event.identity))
            if request.is_new or request.is_corrected:
                events.append(event)
            links += request.links(event.identity)
            if request.entry is not None and request.reports and request.is_paired:
                self._db.execute(_PAIRED, (event.identity, *(f"{kind} %" for kind in GUESSED)))
            for part in request.parts:
                self._db.execute(_MOVE, (event.identity, part.event.identity))
        entries = self._book(now_us, [*reversals, *self._makers(events)])
        self._db.insert("reports", _COLUMNS, links, "ON CONFLICT DO NOTHING")
        return entries
