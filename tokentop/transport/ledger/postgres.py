"""The ledger in a PostgreSQL database, into which several machines may write; the extra `postgres`.

Batches are booked one at a time, by one lock: an event that two machines send is one entry, and
no two wait for each other's rows. A server that went away is connected to again at the next call.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache

from tokentop.domain.text import clean
from tokentop.light_typing import TYPE_CHECKING, Any
from tokentop.secret import Secret, redacted
from tokentop.transport.ledger.database import BEGUN_BY, Database, LedgerError, Row
from tokentop.transport.ledger.schema import POSTGRES, VERSION, tables
from tokentop.transport.ledger.triggers import postgres_triggers

if TYPE_CHECKING:
    from psycopg import Connection, Cursor, Error

EXTRA = "a ledger in PostgreSQL needs an extra: pip install 'tokentop[postgres]'"
SCHEMA = "tokentop"
_ARRAYS = {int: "?::bigint[]", str: "?::text[]"}
# The lock is "tokl" among those of the database. A batch looks up all by a key; a plan that was
# made while the table was small would be kept, and read the whole table ever after.
_BEGIN = f"BEGIN; SET LOCAL enable_seqscan TO off; SELECT pg_advisory_xact_lock({0x746F6B6C})"
_SESSION = (
    f"SET search_path TO {SCHEMA}",
    "SET lock_timeout TO '10s'",  # another process may be booking a batch
    "SET synchronous_commit TO on",  # what is acknowledged is on the disk
)
# A machine that is gone without a word is noticed; what the URL says goes before.
_DEFAULTS = {
    "connect_timeout": 5, "tcp_user_timeout": 15_000, "keepalives_idle": 10,
    "application_name": "tokentop",
}  # fmt: skip


class PostgresDatabase(Database):
    """One connection, made again when it broke."""

    def __init__(self, url: str, password: Secret | None, archive: str) -> None:
        self._url, self._password = Secret(url), password
        self.place, self.archive = redacted(url, ()), archive
        self._connection: Connection | None = None
        self._booking = False

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with self._failures():
            return self._run(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        with self._failures():
            return self._run(sql, values).rowcount

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with self._failures(), self._live().cursor() as cursor:
            cursor.executemany(_marked(sql), rows)

    def among(self, select: str, values: Collection[object], last: str = "") -> list[Row]:
        """One parameter however many values there are, so that it is planned once."""
        return self.rows(f"{select} = ANY(?) {last}", (list(values),)) if values else []

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Collection[Sequence[object]],
        conflict: str = "",
    ) -> None:
        """By COPY, or where rows may exist by one statement: not a message each."""
        into = f"{table} ({', '.join(columns)})"
        if conflict and rows:
            arrays = [list(column) for column in zip(*rows, strict=True)]
            types = ", ".join(_ARRAYS[type(array[0])] for array in arrays)
            self.execute(f"INSERT INTO {into} SELECT * FROM unnest({types}) {conflict}", arrays)
        elif rows:
            copied = f"COPY {into} FROM STDIN"
            with self._failures(), self._live().cursor() as cursor, cursor.copy(copied) as copy:
                for row in rows:
                    copy.write_row(row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self.execute(_BEGIN)
            self._booking = True
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._booking = False

    def guarded(self) -> bool:
        wanted = {(each.shown, each.body, "A") for each in postgres_triggers(SCHEMA)}
        return wanted.issubset(self.rows(_TRIGGERS, (SCHEMA,)))

    def scrub(self) -> None:
        """Write the table of people anew. The server's log and backups keep what they have."""
        self.execute("VACUUM FULL people")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _run(self, sql: str, values: Sequence[object]) -> "Cursor":
        """Once more on a new connection, where the old one turns out to be broken.

        Never within a transaction, of which the server has forgotten the beginning.
        """
        from psycopg import OperationalError

        live = self._live()
        try:
            return live.execute(_marked(sql), values or None)
        except OperationalError:
            if self._booking or not live.closed:
                raise
        return self._live().execute(_marked(sql), values or None)

    def _live(self) -> "Connection":
        if self._connection is None or (self._connection.closed and not self._booking):
            self._connection = _connected(self._url, self._password)
        return self._connection

    def _roll_back(self) -> None:
        from psycopg import Error

        if self._connection is not None:
            with suppress(Error):  # the server does so where the connection is gone
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """PostgreSQL's errors as LedgerError, none of which holds the password."""
        from psycopg import Error

        try:
            yield
        except Error as error:
            raise LedgerError(f"the ledger {self.place}: {_sentence(error)}") from None


def opened(url: str, password: Secret | None, create: bool, archive: str) -> Database:
    """Open the ledger at a URL that has no password; raises LedgerError where there is none."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise LedgerError(EXTRA) from None
    db = PostgresDatabase(url, password, archive)
    try:
        _prepare(db, create)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: Database, create: bool) -> None:
    if not _is_there(db):
        if not create:
            raise LedgerError(f"there is no ledger in {db.place}; {BEGUN_BY}")
        with db.transaction():
            _create(db)
    ((version,),) = db.rows("SELECT max(version) FROM version")
    if version > VERSION:
        raise LedgerError(f"{db.place} was written by a newer tokentop; use that one")


def _is_there(db: Database) -> bool:
    return db.row(_VERSION_TABLE, (SCHEMA,)) is not None


def _create(db: Database) -> None:
    """Make the tables, unless another process was first."""
    if _is_there(db):
        return
    db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    triggers = (each for trigger in postgres_triggers(SCHEMA) for each in trigger.statements)
    for statement in (*tables(POSTGRES), *triggers, "CREATE TABLE version (version INTEGER)"):
        db.execute(statement)
    db.execute("INSERT INTO version VALUES (?)", (VERSION,))


def _connected(url: Secret, password: Secret | None) -> "Connection":
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.types.numeric import Int8Dumper

    given: Mapping[str, Any] = _DEFAULTS | conninfo_to_dict(url.reveal())
    connection = psycopg.connect(
        **given, password=None if password is None else password.reveal(), autocommit=True
    )
    # One type for every number, so that a statement is prepared once and not for each size of them.
    connection.adapters.register_dumper(int, Int8Dumper)
    for statement in _SESSION:
        connection.execute(statement)
    return connection


@cache
def _marked(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


_VERSION_TABLE = "SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'version'"
_TRIGGERS = """\
SELECT pg_get_triggerdef(t.oid), p.prosrc, t.tgenabled FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND NOT t.tgisinternal"""
_KNOWN = {
    "53100": "the disk is full; nothing of this batch was booked",
    "55P03": "another process holds it for too long; try again",
    "57P01": "the server is shutting down; nothing of this batch was booked; try again",
    "42501": "the user may not read or write there",
    "25006": "it cannot be written",
}


def _sentence(error: "Error") -> str:
    """In our words where the error is known, else the first line of the server's own."""
    from psycopg import OperationalError, ProgrammingError

    if error.sqlstate in _KNOWN:
        return _KNOWN[error.sqlstate]
    first = clean((error.diag.message_primary or str(error)).partition("\n")[0])
    if error.diag.message_primary:
        return first
    if isinstance(error, ProgrammingError):  # its text repeats the URL
        return "its URL cannot be read; write it like postgresql://user@host/database"
    if isinstance(error, OperationalError):
        why = first.rpartition("failed: ")[2].removeprefix("FATAL:").strip()
        return f"it cannot be reached ({why})"
    return first
