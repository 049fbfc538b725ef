"""What the ledger holds: sums for reports, entries for verify, and the names of people."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from heapq import merge

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import HOUR_US
from tokentop.domain.ledger.totals import DIMENSIONS, Totals
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger import archive
from tokentop.transport.ledger.database import Database, Row
from tokentop.transport.ledger.schema import COLUMNS, IS_RECORD, SUMS

PERIODS = {"hour": "hour", "day": "hour / 24"}
AT_ONCE = 2000  # entries that are held in memory


class Sums(NamedTuple):
    """One row of a report: what it is grouped by, in that order, and the totals.

    A key is None where the entries do not say; hours and days are numbers since 1970, in UTC.
    """

    keys: tuple[str | int | None, ...]
    totals: Totals


def sums(db: Database, by: Sequence[str], since_us: int, until_us: int) -> list[Sums]:
    """Totals of entries at [since, until), grouped by DIMENSIONS or PERIODS; most tokens first.

    Whole hours come from the sums that are kept; only what is left of the first and the last hour
    is read entry by entry. Of times that are archived only whole hours can be counted: a bound
    there goes back to the hour before it.
    """
    archived = archive.until(db)
    since_us, until_us = (at - at % HOUR_US if at < archived else at for at in (since_us, until_us))
    first = -(-since_us // HOUR_US)
    last = max(first, until_us // HOUR_US)
    edges = (since_us, min(first * HOUR_US, until_us), last * HOUR_US, until_us)
    columns = [PERIODS.get(name, name) for name in by]
    totals = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in Totals._fields)
    order = [PERIODS[name] for name in by if name in PERIODS]
    order += ["sum(prompt + generated) DESC", "sum(requests) DESC", *columns]
    groups = f"GROUP BY {', '.join(columns)} ORDER BY {', '.join(order)}" if by else ""
    found = db.rows(
        f"SELECT {', '.join((*columns, totals))} FROM ({_SOURCES}) AS sources {groups}",
        (first, last, *edges),
    )
    return [_sums(row, len(by)) for row in found if row[-1] is not None]  # no entry: all NULL


_KEYS = ("hour", *DIMENSIONS)
_SUMMED = ", ".join(SUMS)
_SOURCES = (
    f"SELECT {_SUMMED} FROM hourly WHERE hour >= ? AND hour < ? "
    f"UNION ALL SELECT {_SUMMED} FROM entry_sums WHERE at_us >= ? AND at_us < ? "
    f"UNION ALL SELECT {_SUMMED} FROM entry_sums WHERE at_us >= ? AND at_us < ?"
)


def _sums(row: Sequence[Any], keys: int) -> Sums:
    return Sums(tuple(None if key == "" else key for key in row[:keys]), Totals(*row[keys:]))


def writers(db: Database) -> list[str]:
    """Every writer, by name; found by steps along the key, not by reading every entry."""
    return [name for (name,) in db.rows(_WRITERS)]


_WRITERS = """\
WITH RECURSIVE found (name) AS (
  SELECT min(writer) FROM entries
  UNION ALL
  SELECT (SELECT min(writer) FROM entries WHERE writer > name) FROM found WHERE name IS NOT NULL
) SELECT name FROM found WHERE name IS NOT NULL"""


def chain(db: Database, writer: str, after: int = 0) -> Iterator[tuple[Entry, bytes]]:
    """A writer's entries after number `after` with their hashes, in order, archived ones too.

    A page at a time, however many there are. Raises ArchiveError.
    """
    while True:
        page = db.rows(_PAGE, (writer, after, AT_ONCE))
        follows = [row for place, row in enumerate(page, after + 1) if row[_SEQ] == place]
        held = None if follows else archive.segment_of(db, writer, after + 1)
        if not page and held is None:
            return
        rows = ((Entry(*row[:-1]), row[-1]) for row in follows or page)
        for each in archive.whole(db, held) if held else rows:
            if each[0].seq > after:
                yield each
        after = held.last_seq if held else (follows or page)[-1][_SEQ]


_SEQ = Entry._fields.index("seq")
_PAGE = f"SELECT {COLUMNS}, hash FROM entries WHERE writer = ? AND seq > ? ORDER BY seq LIMIT ?"


def entries_after(db: Database, last: Mapping[str, int]) -> Iterator[Entry]:
    """What was booked after the entries that a follower has read: `last` has a number a writer.

    Each writer's entries come in their order, those of several by when they were booked. To follow,
    keep `last[entry.writer] = entry.seq`, and call again.
    """
    chains = (chain(db, name, last.get(name, 0)) for name in writers(db))
    for entry, _ in merge(*chains, key=lambda each: each[0].booked_us):
        yield entry


def holds(db: Database, writer: str, seq: int, last: bytes) -> bool:
    """Whether a chain reaches number `seq` with the hash `last`."""
    held = "SELECT 1 FROM entries WHERE writer = ? AND seq = ? AND hash = ?"
    there = db.row(held, (writer, seq, last)) or archive.segment_of(db, writer, seq)
    return there is not None


def entry(db: Database, identity: str) -> Entry | None:
    """The entry of an event, archived or not; None where there is none. Raises ArchiveError."""
    row = db.row(f"SELECT {COLUMNS} FROM entries WHERE identity = ?", (identity,))
    return archive.archived(db, identity) if row is None else Entry(*row)


def valuation(db: Database, name: str) -> Mapping[str, object]:
    """The inputs that a valuation was computed from."""
    ((text,),) = db.rows("SELECT inputs FROM valuations WHERE id = ?", (name,))
    found: Mapping[str, object] = json.loads(text)
    return found


def names(db: Database, ids: Collection[str]) -> dict[str, str]:
    """The name of each of these people by id, without those that were erased."""
    return dict(db.among("SELECT id, name FROM people WHERE name IS NOT NULL AND id", ids))


def people(db: Database) -> dict[str, str]:
    """The name of each person by id, without those that were erased."""
    return dict(db.rows("SELECT id, name FROM people WHERE name IS NOT NULL"))


def projects(db: Database) -> set[str]:
    """Every project with usage, or with another entry than a decision about it."""
    return {name for (name,) in db.rows(_PROJECTS)}


def erase(db: Database, name: str) -> bool:
    """Erase a person's name, from the file's free pages and the write-ahead log too.

    Entries keep the random id. Returns whether there was such a name; raises LedgerError where
    another process reads the log, which keeps the name until then.
    """
    with db.transaction():
        done = db.execute("UPDATE people SET name = NULL WHERE name = ?", (name,))
    db.scrub()
    return done > 0


def beside_the_chain(db: Database) -> str | None:
    """What is wrong with that which the chain does not cover, as a sentence; None for nothing."""
    for name, text in _valuations(db):
        if sha256(text.encode()).hexdigest() != name:
            return f"the inputs of valuation {name[:16]} were changed"
    lost = db.row(_LOST)
    if lost is not None:
        return removed(lost[0])
    if db.row(_UNEQUAL) is not None:
        return "the hourly sums are not those of the entries"
    return unguarded(db)


def removed(valuation: str) -> str:
    """That an entry names inputs which are not there, as a sentence."""
    return f"the inputs of valuation {valuation[:16]} were removed"


def _valuations(db: Database) -> Iterator[Row]:
    """A page at a time: live prices make many."""
    after = ""
    while page := db.rows(_INPUTS, (after, AT_ONCE)):
        yield from page
        after = page[-1][0]


def unguarded(db: Database) -> str | None:
    """A sentence where the triggers are not those of this version; else None."""
    return None if db.guarded() else "the triggers that refuse changes were removed or changed"


_PROJECTS = (
    "SELECT project FROM hourly WHERE project <> '' UNION "
    f"SELECT project FROM entries WHERE {IS_RECORD} AND kind <> 'decision' AND project IS NOT NULL"
)
_INPUTS = "SELECT id, inputs FROM valuations WHERE id > ? ORDER BY id LIMIT ?"
_LOST = """\
SELECT valuation FROM entries WHERE valuation IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM valuations WHERE id = valuation) LIMIT 1"""
_TAKEN = ", ".join((*_KEYS, *(f"-{name}" for name in Totals._fields)))
_UNEQUAL = f"""\
SELECT {", ".join(_KEYS)} FROM (
  SELECT {_SUMMED} FROM entry_sums UNION ALL SELECT {_SUMMED} FROM archived_sums
  UNION ALL SELECT {_TAKEN} FROM hourly
) AS difference GROUP BY {", ".join(_KEYS)}
HAVING {" OR ".join(f"sum({name}) <> 0" for name in Totals._fields)} LIMIT 1"""
