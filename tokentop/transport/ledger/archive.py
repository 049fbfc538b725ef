"""Old entries in compressed files beside the database, which keeps their sums and identities.

A file is gzip of lines `HASH JSON`: an entry's hash in hexadecimal, and its canonical bytes. It is
on the disk before the entries leave the database, in one transaction with the row that names it.
Entries of other kinds than usage are few and in use for ever: they stay in the database as well.
"""

import gzip
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from zlib import error as BadData

from tokentop.domain.ledger.entry import Entry, encode
from tokentop.domain.ledger.totals import DIMENSIONS, SUMMED, Bucket, Totals
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.database import Database, LedgerError
from tokentop.transport.ledger.schema import COLUMNS, INTEGERS, IS_SUMMED

_COLUMNS = ("hour", *DIMENSIONS, *Totals._fields)


class ArchiveError(LedgerError):
    """An archive that is missing or cannot be read, as one sentence."""


class Segment(NamedTuple):
    """A run of a writer's entries in one file, all of them at times before `until_us`.

    `hash` is that of the last.
    """

    writer: str
    first_seq: int
    last_seq: int
    until_us: int
    file: str
    hash: bytes


def segments(db: Database, writer: str) -> list[Segment]:
    """A writer's segments, oldest first."""
    found = db.rows(f"{_SEGMENTS} WHERE writer = ? ORDER BY last_seq", (writer,))
    return [Segment(*row) for row in found]


def segment_of(db: Database, writer: str, seq: int) -> Segment | None:
    """The segment that has a writer's entry; None where none has."""
    row = db.row(f"{_SEGMENTS} WHERE writer = ? AND first_seq <= ? AND last_seq >= ?",
                 (writer, seq, seq))  # fmt: skip
    return None if row is None else Segment(*row)


def until(db: Database) -> int:
    """Unix microseconds before which entries may be archived; 0 where none is."""
    ((latest,),) = db.rows("SELECT coalesce(max(until_us), 0) FROM segments")
    return int(latest)


def identity_hash(identity: str) -> bytes:
    """What is kept of an archived entry's identity, so that it is not booked again."""
    return sha256(identity.encode()).digest()[:16]


def read(db: Database, segment: Segment) -> Iterator[tuple[Entry, bytes]]:
    """The entries of a segment with their hashes, as its file has them; raises ArchiveError."""
    path = os.path.join(db.archive, segment.file)
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                stored, _, data = line.partition(b" ")
                yield _entry(json.loads(data)), bytes.fromhex(stored.decode())
    except FileNotFoundError:
        raise ArchiveError(_wrong(segment, f"is not in {db.archive}")) from None
    except OSError as error:
        raise ArchiveError(_wrong(segment, f"cannot be read ({error.strerror or error})")) from None
    except (EOFError, ValueError, TypeError, BadData):
        raise ArchiveError(_wrong(segment, "is damaged")) from None


def _entry(values: dict[str, object]) -> Entry:
    """Raises TypeError for what no column can hold."""
    for name, value in values.items():
        if not isinstance(value, int if name in INTEGERS else str):
            raise TypeError
    return Entry(**values)  # type: ignore[arg-type]


def _wrong(segment: Segment, what: str) -> str:
    run = f"{segment.first_seq} to {segment.last_seq}"
    return f"the archive {segment.file} of entries {run} {what}"


def whole(db: Database, segment: Segment) -> Iterator[tuple[Entry, bytes]]:
    """A segment's entries: usage from its file, all others from the database."""
    left = {entry.seq: (entry, stored) for entry, stored in _left(db, segment)}
    for entry, stored in read(db, segment):
        if entry.kind in SUMMED:
            yield entry, stored
        elif entry.seq in left:
            yield left[entry.seq]


def _left(db: Database, segment: Segment) -> Iterator[tuple[Entry, bytes]]:
    for row in db.rows(_LEFT, segment[:3]):
        yield Entry(*row[:-1]), row[-1]


def sums(db: Database, segment: Segment) -> dict[Bucket, Totals]:
    """The sums over a segment that the database keeps, by hour and dimensions."""
    keys = 1 + len(DIMENSIONS)
    found = db.rows(_KEPT_SUMS, (segment.writer, segment.last_seq))
    return {tuple(row[:keys]): Totals(*row[keys:]) for row in found}


def count(db: Database, writer: str, last: int) -> int:
    """How many identities of a writer's archived entries up to number `last` the database keeps."""
    kept = "SELECT count(*) FROM archived WHERE writer = ? AND seq <= ?"
    ((number,),) = db.rows(kept, (writer, last))
    return int(number)


def archived(db: Database, identity: str) -> Entry | None:
    """The entry of an event from its archive; None where there is none. Reads one file."""
    place = db.row("SELECT writer, seq FROM archived WHERE id = ?", (identity_hash(identity),))
    held = None if place is None else segment_of(db, *place)
    if held is None:
        return None
    return next((entry for entry, _ in read(db, held) if entry.identity == identity), None)


def write(db: Database, rows: Sequence[tuple[Entry, bytes]]) -> Segment:
    """Write a run of one writer's entries into a file that is on the disk when this returns."""
    (first, _), (last, stored) = rows[0], rows[-1]
    file = f"{first.writer}-{first.seq}-{last.seq}.jsonl.gz"
    try:
        _write(os.path.join(db.archive, file), rows)
    except OSError as error:
        raise ArchiveError(f"nothing is archived into {db.archive} ({error.strerror})") from None
    until_us = max(entry.at_us for entry, _ in rows) + 1
    return Segment(first.writer, first.seq, last.seq, until_us, file, stored)


def _write(path: str, rows: Iterable[tuple[Entry, bytes]]) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, 0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(f"{path}.new", flags, 0o600), "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
            for entry, stored in rows:
                file.write(b"%s %s\n" % (stored.hex().encode(), encode(entry)))
        raw.flush()
        os.fsync(raw.fileno())
    os.replace(f"{path}.new", path)
    opened = os.open(folder, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


def move(db: Database, segment: Segment, rows: Sequence[tuple[Entry, bytes]]) -> None:
    """Let the entries of a written segment leave the database; raises LedgerError."""
    run = segment[:3]
    gone = [entry for entry, _ in rows if entry.kind in SUMMED]
    with db.transaction():
        db.execute(_NAME, segment)
        db.insert(
            "archived",
            ("id", "writer", "seq"),
            [(identity_hash(entry.identity), entry.writer, entry.seq) for entry in gone],
        )
        db.execute(_SUM, (segment.last_seq, *run))
        if db.execute(_DELETE, run) != len(gone):
            raise LedgerError(f"nothing is archived: entries of {segment.writer} are missing")


_RUN = "writer = ? AND seq BETWEEN ? AND ?"
_DELETE = f"DELETE FROM entries WHERE {_RUN} AND {IS_SUMMED}"
_LEFT = f"SELECT {COLUMNS}, hash FROM entries WHERE {_RUN}"
_SEGMENTS = f"SELECT {', '.join(Segment._fields)} FROM segments"
_NAME = (
    f"INSERT INTO segments ({', '.join(Segment._fields)}) "
    f"VALUES ({', '.join('?' * len(Segment._fields))})"
)
_KEPT_SUMS = f"SELECT {', '.join(_COLUMNS)} FROM archived_sums WHERE writer = ? AND last_seq = ?"
_SUM = (
    f"INSERT INTO archived_sums (writer, last_seq, {', '.join(_COLUMNS)}) "
    f"SELECT writer, CAST(? AS BIGINT), hour, {', '.join(DIMENSIONS)}, "
    f"{', '.join(f'sum({name})' for name in Totals._fields)} FROM entry_sums "
    f"WHERE {_RUN} GROUP BY writer, hour, {', '.join(DIMENSIONS)}"
)
