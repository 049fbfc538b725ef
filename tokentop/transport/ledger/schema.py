"""The ledger's tables in SQL for SQLite and PostgreSQL, and the way from an older version.

Entries, the inputs of their valuations and the segments that were archived are only ever added:
triggers.py. Names of people can be erased. Hourly sums, archived identities and trees follow from
the entries; verify computes them again.
"""

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.totals import DIMENSIONS, SUMMED, Totals
from tokentop.named_tuple import NamedTuple

VERSION = 2


class Dialect(NamedTuple):
    """What the two databases call a whole number, bytes and text, and a table kept by its key."""

    integer: str
    blob: str
    text: str
    clustered: str


SQLITE = Dialect("INTEGER", "BLOB", "TEXT", " WITHOUT ROWID")
POSTGRES = Dialect("BIGINT", "BYTEA", 'TEXT COLLATE "C"', "")  # sorted by bytes, as SQLite does

INTEGERS = frozenset(
    ("seq", "at_us", "booked_us", "estimated", "prompt", "cached", "generated", "reasoning",
     "duration_ms", "gpu_ms", "vram_share", "transfer_bytes", "micro_usd", "milli_credits")
)  # fmt: skip
_COUNTS = frozenset(("hour", "last_seq", *Totals._fields))
_NEEDED = frozenset(Entry._fields[: Entry._fields.index("reverses")])

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

COLUMNS = ", ".join(Entry._fields)  # of `entries`, in Entry's order
IS_SUMMED = "kind IN ({})".format(", ".join(f"'{kind}'" for kind in SUMMED))
IS_RECORD = f"kind NOT {IS_SUMMED.removeprefix('kind ')}"  # as the index entries_records has it
SUMS = ("hour", *DIMENSIONS, *Totals._fields)
_ENTRY_SUMS = ", ".join(
    (
        "at_us / 3600000000 AS hour",
        *(f"coalesce({name}, '') AS {name}" for name in DIMENSIONS),
        *(f"{_AS_SUMS.get(name, f'coalesce({name}, 0)')} AS {name}" for name in Totals._fields),
    )
)
_VIEW = (
    f"CREATE VIEW entry_sums AS SELECT writer, seq, at_us, {_ENTRY_SUMS} FROM entries "
    f"WHERE {IS_SUMMED}"
)


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The statements that make every table."""
    _, blob, text, clustered = dialect
    columns = ", ".join(_column(name, dialect) for name in Entry._fields)
    return (
        f"CREATE TABLE entries ({columns}, hash {blob} NOT NULL, PRIMARY KEY (writer, seq))"
        f"{clustered}",
        "CREATE UNIQUE INDEX entries_identity ON entries (identity)",
        "CREATE INDEX entries_at ON entries (at_us)",
        f"CREATE TABLE valuations (id {text} PRIMARY KEY, inputs {text} NOT NULL){clustered}",
        f"CREATE TABLE people (id {text} PRIMARY KEY, name {text} UNIQUE){clustered}",
        _sums("hourly", (), dialect),
        *_since_2(dialect),
    )


def upgrade(dialect: Dialect, version: int) -> tuple[str, ...]:
    """The statements that bring the tables of an older `version`, without triggers, to VERSION."""
    if version >= VERSION:
        return ()
    added = f"ALTER TABLE entries ADD COLUMN {_column('details', dialect)}"
    return (added, "DROP VIEW entry_sums", *_since_2(dialect))


def _column(name: str, dialect: Dialect) -> str:
    kind = dialect.integer if name in INTEGERS else dialect.text
    return f"{name} {kind}{' NOT NULL' if name in _NEEDED else ''}"


def _sums(table: str, keys: tuple[str, ...], dialect: Dialect) -> str:
    """A table of sums by `keys`, the hour and the dimensions."""
    keys = (*keys, "hour", *DIMENSIONS)
    columns = ", ".join(
        f"{name} {dialect.integer if name in _COUNTS else dialect.text} NOT NULL"
        for name in (*keys, *Totals._fields)
    )
    return f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({', '.join(keys)})){dialect.clustered}"


def _since_2(dialect: Dialect) -> tuple[str, ...]:
    """Entries other than usage; archives; trees that checkpoints go on from; late reports' keys."""
    integer, blob, text, clustered = dialect
    return (
        _VIEW,
        f"CREATE INDEX entries_records ON entries (kind, at_us) WHERE {IS_RECORD}",
        f"CREATE TABLE segments (writer {text} NOT NULL, first_seq {integer} NOT NULL, "
        f"last_seq {integer} NOT NULL, until_us {integer} NOT NULL, file {text} NOT NULL, "
        f"hash {blob} NOT NULL, PRIMARY KEY (writer, last_seq)){clustered}",
        f"CREATE TABLE archived (id {blob} PRIMARY KEY, writer {text} NOT NULL, "
        f"seq {integer} NOT NULL){clustered}",
        _sums("archived_sums", ("writer", "last_seq"), dialect),
        f"CREATE TABLE trees (writer {text} PRIMARY KEY, size {integer} NOT NULL, "
        f"hash {blob} NOT NULL, roots {blob} NOT NULL){clustered}",
        f"CREATE TABLE reports (key {text} NOT NULL, identity {text} NOT NULL, "
        f"feed {text} NOT NULL, at_us {integer} NOT NULL, PRIMARY KEY (key, identity, feed))",
        "CREATE INDEX reports_identity ON reports (identity)",
        "CREATE INDEX reports_at ON reports (at_us)",
    )
