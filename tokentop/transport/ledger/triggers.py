"""The triggers by which the database itself refuses changes, whichever program asks for them."""

_REFUSED = "the ledger is append-only"
_APPEND_ONLY = ("valuations", "segments", "archived")

# An entry may go once it is in an archive.
_KEPT = (
    "SELECT 1 FROM segments "
    "WHERE writer = OLD.writer AND first_seq <= OLD.seq AND last_seq >= OLD.seq"
)
# What exists already is refused as well: INSERT OR REPLACE deletes without a DELETE trigger.
_EXISTS = {
    "entries": "EXISTS (SELECT 1 FROM entries WHERE writer = NEW.writer AND seq >= NEW.seq) "
    "OR EXISTS (SELECT 1 FROM entries WHERE identity = NEW.identity)",
    "valuations": "EXISTS (SELECT 1 FROM valuations WHERE id = NEW.id)",
    "segments": "EXISTS (SELECT 1 FROM segments WHERE writer = NEW.writer "
    "AND last_seq >= NEW.first_seq)",
    "archived": "EXISTS (SELECT 1 FROM archived WHERE id = NEW.id)",
}


def _sqlite(table: str, event: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
        f"{f'WHEN {when} ' if when else ''}BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    )


SQLITE_TRIGGERS = (
    *(_sqlite(table, event) for table in _APPEND_ONLY for event in ("UPDATE", "DELETE")),
    _sqlite("entries", "UPDATE"),
    _sqlite("entries", "DELETE", f"NOT EXISTS ({_KEPT})"),
    *(_sqlite(table, "INSERT", exists) for table, exists in _EXISTS.items()),
)
