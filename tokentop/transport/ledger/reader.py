"""What the ledger holds: sums for reports, entries for verify, and the names of people."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.totals import DIMENSIONS, HOUR_US, Totals
from tokentop.transport.ledger.database import LedgerError, transaction
from tokentop.transport.ledger.schema import SUMS, TRIGGERS

PERIODS = {"hour": "hour", "day": "hour / 24"}
_ENTRY = ", ".join(Entry._fields)


class Sums(NamedTuple):
    """One row of a report: what it is grouped by, in that order, and the totals.

    A key is None where the entries do not say; hours and days are numbers since 1970, in UTC.
    """

    keys: tuple[str | int | None, ...]
    totals: Totals


def sums(db: sqlite3.Connection, by: Sequence[str], since_us: int, until_us: int) -> list[Sums]:
    """Totals of entries at [since, until), grouped by DIMENSIONS or PERIODS; most tokens first.

    Whole hours come from the sums that are kept; only what is left of the first and the last hour
    is read entry by entry.
    """
    first = -(-since_us // HOUR_US)
    last = max(first, until_us // HOUR_US)
    edges = (since_us, min(first * HOUR_US, until_us), last * HOUR_US, until_us)
    columns = [PERIODS.get(name, name) for name in by]
    totals = ", ".join(f"sum({name})" for name in Totals._fields)
    order = [PERIODS[name] for name in by if name in PERIODS]
    order += ["sum(prompt + generated) DESC", "sum(requests) DESC", *columns]
    groups = f"GROUP BY {', '.join(columns)} ORDER BY {', '.join(order)}" if by else ""
    found = db.execute(
        f"SELECT {', '.join((*columns, totals))} FROM ({_SOURCES}) {groups}",
        (first, last, *edges),
    )
    return [_sums(row, len(by)) for row in found if row[-1] is not None]  # no entry: all NULL


_SUMMED = ", ".join(SUMS)
_SOURCES = (
    f"SELECT {_SUMMED} FROM hourly WHERE hour >= ? AND hour < ? "
    f"UNION ALL SELECT {_SUMMED} FROM entry_sums WHERE at_us >= ? AND at_us < ? "
    f"UNION ALL SELECT {_SUMMED} FROM entry_sums WHERE at_us >= ? AND at_us < ?"
)


def _sums(row: Sequence[Any], keys: int) -> Sums:
    return Sums(tuple(None if key == "" else key for key in row[:keys]), Totals(*row[keys:]))


def writers(db: sqlite3.Connection) -> list[str]:
    """Every writer, by name."""
    found = db.execute("SELECT DISTINCT writer FROM entries ORDER BY writer")
    return [name for (name,) in found]


def chain(db: sqlite3.Connection, writer: str) -> Iterator[tuple[Entry, bytes]]:
    """A writer's entries with their hashes, in order; one at a time, however many there are."""
    rows = db.execute(
        f"SELECT {_ENTRY}, hash FROM entries WHERE writer = ? ORDER BY seq", (writer,)
    )
    for row in rows:
        yield Entry(*row[:-1]), row[-1]


def entry(db: sqlite3.Connection, identity: str) -> Entry | None:
    """The entry of an event; None where there is none."""
    row = db.execute(f"SELECT {_ENTRY} FROM entries WHERE identity = ?", (identity,)).fetchone()
    return None if row is None else Entry(*row)


def valuation(db: sqlite3.Connection, name: str) -> Mapping[str, object]:
    """The inputs that a valuation was computed from."""
    (text,) = db.execute("SELECT inputs FROM valuations WHERE id = ?", (name,)).fetchone()
    found: Mapping[str, object] = json.loads(text)
    return found


def people(db: sqlite3.Connection) -> dict[str, str]:
    """The name of each person by id, without those that were erased."""
    return dict(db.execute("SELECT id, name FROM people WHERE name IS NOT NULL"))


def erase(db: sqlite3.Connection, name: str) -> bool:
    """Erase a person's name, from the file's free pages and the write-ahead log too.

    Entries keep the random id. Returns whether there was such a name; raises LedgerError where
    another process reads the log, which keeps the name until then.
    """
    with transaction(db):
        done = db.execute("UPDATE people SET name = NULL WHERE name = ?", (name,)).rowcount
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise LedgerError(
            "another process reads the ledger, and its log still holds the name; repeat this later"
        )
    return done > 0


def beside_the_chain(db: sqlite3.Connection) -> str | None:
    """What is wrong with that which the chain does not cover, as a sentence; None for nothing."""
    for name, text in db.execute("SELECT id, inputs FROM valuations"):
        if sha256(text.encode()).hexdigest() != name:
            return f"the inputs of valuation {name[:16]} were changed"
    lost = db.execute(_LOST).fetchone()
    if lost is not None:
        return f"the inputs of valuation {lost[0][:16]} were removed"
    if db.execute(_UNEQUAL).fetchone() is not None:
        return "the hourly sums are not those of the entries"
    there = {row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")}
    if not there.issuperset(TRIGGERS):
        return "the triggers that refuse changes were removed or changed"
    return None


_LOST = """\
SELECT valuation FROM entries WHERE valuation IS NOT NULL
  AND valuation NOT IN (SELECT id FROM valuations) LIMIT 1"""
_GROUPED = (
    f"SELECT {', '.join(('hour', *DIMENSIONS, *(f'sum({name})' for name in Totals._fields)))} "
    f"FROM entry_sums GROUP BY {', '.join(('hour', *DIMENSIONS))}"
)
_UNEQUAL = f"""\
SELECT * FROM (SELECT * FROM ({_GROUPED}) EXCEPT SELECT {_SUMMED} FROM hourly)
UNION ALL SELECT * FROM (SELECT {_SUMMED} FROM hourly EXCEPT {_GROUPED}) LIMIT 1"""
