"""The ledger's tables, and the triggers by which the database itself refuses changes.

Entries and the inputs of their valuations are only ever added. Names of people can be erased;
hourly sums follow from the entries, and verify computes them again.
"""

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.totals import DIMENSIONS, Totals

APPLICATION_ID = 0x746F6B6C  # "tokl", so that `file` and we know the file as ours
VERSION = 1

_INTEGERS = frozenset(
    ("seq", "at_us", "booked_us", "estimated", "prompt", "cached", "generated", "reasoning",
     "duration_ms", "gpu_ms", "vram_share", "transfer_bytes", "micro_usd", "milli_credits")
)  # fmt: skip
_NEEDED = frozenset(Entry._fields[: Entry._fields.index("reverses")])
_APPEND_ONLY = ("entries", "valuations")


def _column(name: str) -> str:
    kind = "INTEGER" if name in _INTEGERS else "TEXT"
    return f"{name} {kind}{' NOT NULL' if name in _NEEDED else ''}"


def _refusal(table: str, event: str, when: str = "") -> str:
    return f"""\
CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} {when}
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""


# INSERT OR REPLACE deletes without a DELETE trigger, so what exists already is refused as well.
_EXISTS = """\
WHEN EXISTS (SELECT 1 FROM entries WHERE writer = NEW.writer AND seq >= NEW.seq)
  OR EXISTS (SELECT 1 FROM entries WHERE identity = NEW.identity)"""
_VALUED = "WHEN EXISTS (SELECT 1 FROM valuations WHERE id = NEW.id)"

TRIGGERS = (
    *(_refusal(table, event) for table in _APPEND_ONLY for event in ("UPDATE", "DELETE")),
    _refusal("entries", "INSERT", _EXISTS),
    _refusal("valuations", "INSERT", _VALUED),
)

# The same columns as `hourly`, one row an entry.
_AS_SUMS = {
    "requests": "CASE kind WHEN 'reversal' THEN -1 ELSE 1 END",
    "estimated": "CASE kind WHEN 'reversal' THEN -estimated ELSE estimated END",
    **{
        name: f"CASE WHEN {missing} THEN CASE kind WHEN 'reversal' THEN -1 ELSE 1 END ELSE 0 END"
        for name, missing in (
            ("unmeasured", "prompt IS NULL OR generated IS NULL"),
            ("unpriced", "micro_usd IS NULL"),
            ("unvalued", "milli_credits IS NULL"),
        )
    },
}

SUMS = ("hour", *DIMENSIONS, *Totals._fields)
_ENTRY_SUMS = ", ".join(
    (
        "at_us / 3600000000 AS hour",
        *(f"coalesce({name}, '') AS {name}" for name in DIMENSIONS),
        *(f"{_AS_SUMS.get(name, f'coalesce({name}, 0)')} AS {name}" for name in Totals._fields),
    )
)

TABLES = (
    f"""\
CREATE TABLE entries (
  {", ".join(map(_column, Entry._fields))}, hash BLOB NOT NULL,
  PRIMARY KEY (writer, seq)
) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX entries_identity ON entries (identity)",
    "CREATE INDEX entries_at ON entries (at_us)",
    "CREATE TABLE valuations (id TEXT PRIMARY KEY, inputs TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT UNIQUE) WITHOUT ROWID",
    f"""\
CREATE TABLE hourly (
  hour INTEGER NOT NULL, {", ".join(f"{name} TEXT NOT NULL" for name in DIMENSIONS)},
  {", ".join(f"{name} INTEGER NOT NULL" for name in Totals._fields)},
  PRIMARY KEY (hour, {", ".join(DIMENSIONS)})
) WITHOUT ROWID""",
    f"CREATE VIEW entry_sums AS SELECT at_us, {_ENTRY_SUMS} FROM entries",
    *TRIGGERS,
)
