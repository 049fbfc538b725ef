"""The triggers by which the database itself refuses changes, whichever program asks for them."""

from tokentop.domain.ledger.totals import DIMENSIONS
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.schema import IS_RECORD

REFUSED = "the ledger is append-only"


class Refusal(NamedTuple):
    """What is refused of a table, and under which condition."""

    table: str
    event: str
    when: str = "true"

    @property
    def name(self) -> str:
        return f"{self.table}_no_{self.event.lower()}"


# An entry of usage may go once it is in an archive. What exists already may not come again: INSERT
# OR REPLACE deletes without a DELETE trigger.
_NOT_ARCHIVED = (
    f"OLD.{IS_RECORD} OR NOT EXISTS (SELECT 1 FROM segments "
    "WHERE writer = OLD.writer AND first_seq <= OLD.seq AND last_seq >= OLD.seq)"
)
_TABLES = ("valuations", "segments", "archived", "archived_sums")
_REFUSALS = (
    *(Refusal(table, event) for table in _TABLES for event in ("UPDATE", "DELETE")),
    Refusal("entries", "UPDATE"),
    Refusal("entries", "DELETE", _NOT_ARCHIVED),
    Refusal(
        "entries", "INSERT",
        "EXISTS (SELECT 1 FROM entries WHERE writer = NEW.writer AND seq >= NEW.seq) "
        "OR EXISTS (SELECT 1 FROM entries WHERE identity = NEW.identity)",
    ),
    Refusal("valuations", "INSERT", "EXISTS (SELECT 1 FROM valuations WHERE id = NEW.id)"),
    Refusal(
        "segments", "INSERT",
        "EXISTS (SELECT 1 FROM segments WHERE writer = NEW.writer AND last_seq >= NEW.first_seq)",
    ),
    Refusal("archived", "INSERT", "EXISTS (SELECT 1 FROM archived WHERE id = NEW.id)"),
    Refusal(
        "archived_sums", "INSERT",
        "EXISTS (SELECT 1 FROM archived_sums WHERE writer = NEW.writer "
        "AND last_seq = NEW.last_seq AND hour = NEW.hour AND "
        + " AND ".join(f"{name} = NEW.{name}" for name in DIMENSIONS) + ")",
    ),
)  # fmt: skip
_TRUNCATED = tuple(Refusal(table, "TRUNCATE") for table in ("entries", *_TABLES))

SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER {each.name} BEFORE {each.event} ON {each.table} "
    f"WHEN {each.when} BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    for each in _REFUSALS
)


class PostgresTrigger(NamedTuple):
    """A trigger as PostgreSQL shows it, the body of its function, and the statements to make it.

    The function looks into the ledger's schema whatever the session's search path is, and the
    trigger fires in replication too.
    """

    shown: str
    body: str
    statements: tuple[str, ...]


def postgres_triggers(schema: str) -> tuple[PostgresTrigger, ...]:
    """Every trigger of the ledger in a schema."""
    return tuple(_postgres(each, schema) for each in (*_REFUSALS, *_TRUNCATED))


def _postgres(refusal: Refusal, schema: str) -> PostgresTrigger:
    name, event, table = refusal.name, refusal.event, f"{schema}.{refusal.table}"
    row = "OLD" if event == "DELETE" else "NEW"
    each = "STATEMENT" if event == "TRUNCATE" else "ROW"
    refused = f"IF {refusal.when} THEN RAISE EXCEPTION '{REFUSED}'; END IF"
    body = f"BEGIN {refused}; RETURN {row}; END"
    shown = (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()"
    )
    function = (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}"
    )
    always = f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
    return PostgresTrigger(shown, body, (f"{function} AS $${body}$$", shown, always))
