"""The ledger in a SQLite file: opened, made where it is missing, brought to this version."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock

from tokentop.transport.ledger.database import BEGUN_BY, Database, LedgerError, Row
from tokentop.transport.ledger.schema import SQLITE, VERSION, tables, upgrade
from tokentop.transport.ledger.triggers import SQLITE_TRIGGERS

APPLICATION_ID = 0x746F6B6C  # "tokl", so that `file` and we know the file as ours
_MAKING = Lock()
BUSY_MS = 10_000  # another process may be booking a batch


class SqliteDatabase(Database):
    """A ledger's file. What is acknowledged is on the disk: WAL with synchronous=FULL."""

    def __init__(self, connection: sqlite3.Connection, path: str, archive: str) -> None:
        self._connection = connection
        self.place, self.archive = path, archive

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with failures(self.place):
            return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        with failures(self.place):
            return self._connection.execute(sql, values).rowcount

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with failures(self.place):
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self.execute("ROLLBACK")
            raise

    def guarded(self) -> bool:
        there = {sql for (sql,) in self.rows("SELECT sql FROM sqlite_master WHERE type='trigger'")}
        return there.issuperset(SQLITE_TRIGGERS)

    def scrub(self) -> None:
        """Raises LedgerError where another process reads the log, which keeps the name until then.

        The file's free pages are overwritten at once: secure_delete.
        """
        found = self.row("PRAGMA wal_checkpoint(TRUNCATE)")
        if found is None or found[0]:
            raise LedgerError(
                "another process reads the ledger, and its log still holds the name; "
                "repeat this later"
            )

    def close(self) -> None:
        self._connection.close()


def opened(path: str, create: bool, archive: str) -> Database:
    """Open the file; one that is made is readable for its user alone."""
    with failures(path):
        _ensure(path, create)
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
    db = SqliteDatabase(connection, path, archive)
    try:
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _ensure(path: str, create: bool) -> None:
    """Make the file where that is wanted, and raise OSError where there is none.

    A file that is there is left to SQLite: closing another descriptor of it would drop the locks of
    all connections of this process, and with them the log that others write on.
    """
    if not create:
        os.stat(path)
        return
    os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
    with _MAKING, suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare(db: Database) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        db.rows(f"PRAGMA {pragma}")
    if _is_empty(db):
        with db.transaction():
            _create(db)
    if db.row("PRAGMA application_id") != (APPLICATION_ID,):
        raise LedgerError(
            f"{db.place} is another program's database; name another path in [ledger]"
        )
    if _version(db) < VERSION:
        with db.transaction():
            _upgrade(db)
    if _version(db) > VERSION:
        raise LedgerError(f"{db.place} was written by a newer tokentop; use that one")


def _is_empty(db: Database) -> bool:
    return db.row("SELECT count(*) FROM sqlite_master") == (0,)


def _version(db: Database) -> int:
    ((version,),) = db.rows("PRAGMA user_version")
    return int(version)


def _create(db: Database) -> None:
    """Make the tables, unless another process was first."""
    if _is_empty(db):
        _run(db, (*tables(SQLITE), *SQLITE_TRIGGERS))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _upgrade(db: Database) -> None:
    """Bring an older file to this version, unless another process was first."""
    if (version := _version(db)) < VERSION:
        names = db.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        _run(db, (f"DROP TRIGGER {name}" for (name,) in names))
        _run(db, (*upgrade(SQLITE, version), *SQLITE_TRIGGERS))


def _run(db: Database, statements: Iterable[str]) -> None:
    for statement in statements:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def failures(path: str) -> Iterator[None]:
    """The system's and SQLite's errors as LedgerError, with what to do."""
    try:
        yield
    except FileNotFoundError:
        raise LedgerError(f"there is no ledger at {path}; {BEGUN_BY}") from None
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be opened ({error.strerror})") from None
    except sqlite3.Error as error:
        raise LedgerError(_sentence(error, path)) from None


def _sentence(error: sqlite3.Error, path: str) -> str:
    known = {
        sqlite3.SQLITE_FULL: "the disk is full; nothing of this batch was booked",
        sqlite3.SQLITE_BUSY: "another process holds it for too long; try again",
        sqlite3.SQLITE_NOTADB: "the file is no SQLite database",
        sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
        sqlite3.SQLITE_READONLY: "it cannot be written",
        sqlite3.SQLITE_IOERR: "its disk fails; nothing of this batch was booked",
    }
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return f"the ledger {path}: {known.get(code) or error}"
