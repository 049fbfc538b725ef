"""The store's one writer: opened, checked, migrated; samples in, what is old out."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import strftime

from tokentop.domain.history import Sample
from tokentop.transport.history.schema import (
    APPLICATION_ID,
    FIGURES,
    HOURS,
    MINUTES,
    SAMPLES,
    TIERS,
    VERSION,
    Tier,
    columns,
    migrate,
    version,
)

_TRIMMED = 10  # a store over its cap loses one row of so many, the oldest
_BUSY_MS = 2000
_MIB = 1024 * 1024


class StoreError(Exception):
    """Why nothing is kept, as one sentence."""


class Store:
    """A store open for writing. Used by one thread; raises sqlite3.Error where the disk does.

    `found` is what was wrong with the file when it was opened, in one sentence; None for nothing.
    Only one process writes: raises StoreError where another one does, or where the file is of a
    newer version. A damaged file is set aside, and a new one begun.
    """

    def __init__(self, path: str, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = _lock(path)
        self.found: str | None = None
        try:
            self._connection = self._opened()
        except BaseException:
            os.close(self._lock)
            raise

    def _opened(self) -> sqlite3.Connection:
        connection = None
        try:
            connection = _connect(self._path)
            return _prepared(connection)
        except sqlite3.DatabaseError as error:
            if connection is not None:
                connection.close()
            if not is_damage(error):
                raise
        self.found = set_aside(self._path)
        return _prepared(_connect(self._path))

    def add(self, samples: Iterable[Sample]) -> None:
        """Keep samples, whose `t` is Unix seconds, and what follows from them, or none of it."""
        rows = [(round(sample.t * 1000), *sample[1:]) for sample in samples]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_INSERT, rows)
            for finer, coarser in ((SAMPLES, MINUTES), (MINUTES, HOURS)):
                step = round(coarser.step_s * 1000)
                for start in {row[0] // step * step for row in rows}:
                    self._connection.execute(_ROLL_UP[finer.table], (start, start, start + step))

    def prune(self, now: float) -> None:
        """Drop what is older than its tier keeps it, then the oldest while the file is too large.

        `now` is Unix seconds.
        """
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for tier in TIERS:
                self._delete(tier, round((now - tier.keep_s) * 1000))
        while self._size() > self._max_bytes and self._trim():
            pass

    def close(self) -> None:
        """Leave one whole file; the next writer may open it from now on."""
        with suppress(sqlite3.Error):
            self._connection.close()
        os.close(self._lock)

    def _delete(self, tier: Tier, before_ms: int) -> None:
        self._connection.execute(f"DELETE FROM {tier.table} WHERE t < ?", (before_ms,))

    def _size(self) -> int:
        """Bytes of the pages in use; those of deleted rows are used again."""
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        used: int = (pages - free) * size
        return used

    def _trim(self) -> bool:
        """Drop the oldest tenth of the table that takes most; whether there was any."""
        counts = {
            tier: self._connection.execute(f"SELECT count(*) FROM {tier.table}").fetchone()[0]
            for tier in TIERS
        }
        largest = max(TIERS, key=lambda tier: counts[tier] * (1 if tier is SAMPLES else 3))
        if counts[largest] < _TRIMMED:
            return False
        with self._connection:
            self._connection.execute(
                f"DELETE FROM {largest.table} WHERE t IN "
                f"(SELECT t FROM {largest.table} ORDER BY t LIMIT ?)",
                (counts[largest] // _TRIMMED,),
            )
        self._connection.executescript("PRAGMA incremental_vacuum")  # a step frees one page
        return True


_INSERT = f"INSERT OR REPLACE INTO sample VALUES ({', '.join('?' * (len(FIGURES) + 1))})"


def _roll_up(finer: Tier, coarser: Tier) -> str:
    """SQL for one row of a coarser table: its start, and the rows of the finer one in [?, ?)."""
    low, mean, high = (columns(finer, kind) for kind in ("min", "avg", "max"))
    each = [one for three in zip(low, mean, high, strict=True) for one in three]
    return (
        f"INSERT OR REPLACE INTO {coarser.table} SELECT ?, {', '.join(each)} "
        f"FROM {finer.table} WHERE t >= ? AND t < ?"
    )


_ROLL_UP = {
    SAMPLES.table: _roll_up(SAMPLES, MINUTES),
    MINUTES.table: _roll_up(MINUTES, HOURS),
}


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than the disk full or the file in use."""
    return type(error) is sqlite3.DatabaseError


def set_aside(path: str) -> str:
    """Rename a damaged store with what belongs to it; returns what was done, as one sentence."""
    kept = f"{path}.damaged-{strftime('%Y%m%d-%H%M%S')}"
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, kept + suffix)
    return f"The history was damaged: it is kept as {kept}, and a new one was begun."


def _lock(path: str) -> int:
    """The lock of a store's one writer, which ends with the process that holds it."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode("ascii", "replace").strip()
        os.close(lock)
        process = f" (process {holder})" if holder.isdecimal() else ""
        raise StoreError(
            f"Another tokentop{process} keeps the history; this one shows it and adds nothing."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _connect(path: str) -> sqlite3.Connection:
    """Open the file, made readable for its user alone; SQLite gives its helpers the same mode."""
    with suppress(FileExistsError):  # closing one that SQLite has open would drop its locks
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection to a sound store of today's version."""
    _check(connection)
    found = version(connection)
    if found > VERSION:
        connection.close()
        raise StoreError(
            f"The history was written by a newer tokentop (its version {found}, ours {VERSION}); "
            "nothing is added to it."
        )
    for pragma in (
        "auto_vacuum = INCREMENTAL",
        "journal_mode = WAL",  # readers go on while a sample is written
        "synchronous = NORMAL",  # a power cut loses the last seconds, never the file
        f"journal_size_limit = {4 * _MIB}",
        f"application_id = {APPLICATION_ID}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    migrate(connection)
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where the file is damaged, or another program's."""
    marked = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and marked != APPLICATION_ID:
        raise sqlite3.DatabaseError("not a history")
    found: Sequence[tuple[str]] = connection.execute("PRAGMA quick_check(1)").fetchall()
    if found != [("ok",)]:
        raise sqlite3.DatabaseError("damaged")
