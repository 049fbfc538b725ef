"""Entries moved into archives, and archives held against what the database keeps of them."""

from collections.abc import Callable, Iterator
from itertools import islice, takewhile

from tokentop.domain.ledger.entry import GENESIS, Entry, chained, encode
from tokentop.domain.ledger.totals import SUMMED, Bucket, Totals, added, bucket, totals
from tokentop.transport.ledger import archive, reader
from tokentop.transport.ledger.database import Database, LedgerError

AT_ONCE = 50_000  # entries of a segment, which are held in memory

Row = tuple[Entry, bytes]


def archive_until(db: Database, until_us: int) -> Iterator[archive.Segment]:
    """Move what was booked before `until_us` into archives, one segment after the other.

    The last entry of a chain stays, as do entries of other kinds than usage. Raises LedgerError
    where an entry does not follow from the one before it; nothing of that segment is moved.
    """
    for writer in reader.writers(db):
        held = archive.segments(db, writer)
        last, before = (held[-1].last_seq, held[-1].hash) if held else (0, GENESIS)
        ((end,),) = db.rows("SELECT max(seq) FROM entries WHERE writer = ?", (writer,))
        while rows := list(islice(_old(db, writer, last, end, until_us), AT_ONCE)):
            _check(rows, last, before)
            segment = archive.write(db, rows)
            archive.move(db, segment, rows)
            last, before = segment.last_seq, segment.hash
            yield segment


def _old(db: Database, writer: str, last: int, end: int, until_us: int) -> Iterator[Row]:
    return takewhile(
        lambda row: row[0].booked_us < until_us and row[0].seq < end,
        reader.chain(db, writer, last),
    )


def _check(rows: list[Row], last: int, before: bytes) -> None:
    for number, (entry, stored) in enumerate(rows, last + 1):
        before = chained(before, encode(entry))
        if entry.seq != number or before != stored:
            raise LedgerError(
                f"nothing more is archived: entry {number} of {entry.writer} was changed or "
                "removed; `tokentop ledger verify` it"
            )


def compared(
    db: Database, writer: str, rows: Iterator[Row], report: Callable[[str], object]
) -> Iterator[Row]:
    """A chain's rows, unchanged; `report` gets what of the archived ones the database denies."""
    waiting = archive.segments(db, writer)
    last = waiting[-1].last_seq if waiting else 0
    kept = _Kept()
    for entry, stored in rows:
        if waiting and entry.kind in SUMMED:
            kept.add(entry)
        if waiting and entry.seq == waiting[0].last_seq:
            kept.compare(db, waiting.pop(0), report)
        yield entry, stored
    if not waiting and kept.count != archive.count(db, writer, last):
        report(f"{writer}: identities of archived entries were removed or added")


class _Kept:
    """What the database must keep of the entries of a segment, and how many there were in all."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[Bucket, Totals] = {}
        self._valuations: set[str] = set()

    def add(self, entry: Entry) -> None:
        self.count += 1
        place = bucket(entry)
        self._sums[place] = added(self._sums.get(place, Totals()), totals(entry))
        if entry.valuation is not None:
            self._valuations.add(entry.valuation)

    def compare(
        self, db: Database, segment: archive.Segment, report: Callable[[str], object]
    ) -> None:
        if self._sums != archive.sums(db, segment):
            report(f"the sums of the archive {segment.file} are not those of its entries")
        there = db.among("SELECT id FROM valuations WHERE id", self._valuations)
        for lost in sorted(self._valuations - {name for (name,) in there})[:1]:
            report(reader.removed(lost))
        self._sums, self._valuations = {}, set()
