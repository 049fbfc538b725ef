"""The ledger's SQLite file: opened, made where it is missing, its failures in words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from tokentop.transport.ledger.schema import APPLICATION_ID, TABLES, VERSION

BUSY_MS = 10_000  # another process may be booking a batch


class LedgerError(Exception):
    """Why the ledger cannot be read or written, as one sentence."""


def connect(path: str, *, create: bool = False) -> sqlite3.Connection:
    """Open the ledger at `path`; raises LedgerError where there is none, or none of ours.

    What is acknowledged is on the disk: WAL with synchronous=FULL. A file that is made is readable
    for its user alone.
    """
    with failures(path):
        connection = _opened(path, create)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _opened(path: str, create: bool) -> sqlite3.Connection:
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    if create:
        os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
    os.close(os.open(path, flags, 0o600))
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        with transaction(connection):
            _create(connection)
    marked = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if marked != APPLICATION_ID:
        raise LedgerError(f"{path} is another program's database; name another path in [ledger]")
    if version > VERSION:
        raise LedgerError(f"{path} was written by a newer tokentop; use that one")


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process was first."""
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction that writes: all of it or, where anything is raised, none of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def failures(path: str) -> Iterator[None]:
    """The system's and SQLite's errors as LedgerError, with what to do."""
    try:
        yield
    except FileNotFoundError:
        raise LedgerError(f"there is no ledger at {path}; `tokentop ledger import` begins one") \
            from None  # fmt: skip
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
    }
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return f"the ledger {path}: {known.get(code) or error}"
