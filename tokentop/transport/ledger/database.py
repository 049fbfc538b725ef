"""A ledger's database: SQLite or PostgreSQL behind a few methods, its failures in words."""

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import islice

from tokentop.light_typing import Any
from tokentop.secret import Secret

Row = tuple[Any, ...]
ARCHIVE = "ledger-archive"
BEGUN_BY = "`tokentop ledger import`, or `tokentop serve` with intake in [ledger], begins one"
_AT_ONCE = 500  # parameters of one statement


class LedgerError(Exception):
    """Why the ledger cannot be read or written, as one sentence."""


class Database(ABC):
    """One connection, used by one thread; `place` is its path, or its URL without a password.

    `archive` is the folder of entries that were archived.
    Statements are standard SQL with `?` marks; those that write belong in a transaction. Every
    method raises LedgerError, and a ledger that cannot be reached is tried again at the next call.
    """

    place: str
    archive: str

    @abstractmethod
    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query; one that may have many asks for a page at a time."""

    def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of a query; None where there is none."""
        return next(iter(self.rows(sql, values)), None)

    @abstractmethod
    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run a statement; return how many rows it changed."""

    @abstractmethod
    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once a row."""

    def among(self, select: str, values: Collection[object], last: str = "") -> list[Row]:
        """The rows of `select`, which ends in the column that must be among `values`.

        `last` stands behind that.
        """
        rows: list[Row] = []
        wanted = iter(values)
        while part := list(islice(wanted, _AT_ONCE)):
            rows += self.rows(f"{select} IN ({', '.join('?' * len(part))}) {last}", part)
        return rows

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Collection[Sequence[object]],
        conflict: str = "",
    ) -> None:
        """Add rows to a table. With a `conflict` clause no value may be None."""
        marks = ", ".join("?" * len(columns))
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self.executemany(f"{into} {conflict}", rows)

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """A transaction that writes, one at a time: all of it or, where anything is raised, none.

        When it ends, it is on the disk.
        """

    @abstractmethod
    def guarded(self) -> bool:
        """Whether the triggers that refuse changes are those of this version."""

    @abstractmethod
    def scrub(self) -> None:
        """Remove what was erased from the database's free space too."""

    @abstractmethod
    def close(self) -> None: ...


def connect(path: str, *, create: bool = False, archive: str | None = None) -> Database:
    """Open the ledger in the SQLite file `path`; raises LedgerError where there is none of ours.

    Without an `archive` that is a folder beside the file.
    """
    from tokentop.transport.ledger.sqlite import opened

    return opened(path, create, archive or os.path.join(os.path.dirname(path), ARCHIVE))


def connect_server(
    url: str, password: Secret | None, archive: str, *, create: bool = False
) -> Database:
    """Open the ledger in a PostgreSQL database; raises LedgerError where there is none."""
    from tokentop.transport.ledger.postgres import opened

    return opened(url, password, create, archive)
