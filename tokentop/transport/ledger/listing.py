"""Entries as they are listed: the newest first, filtered, page by page."""

from collections.abc import Iterable, Sequence

from tokentop.domain.economy.valuation_explained import explained
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.listing import (
    COUNTED,
    FIELDS,
    MOST,
    SEARCHED,
    Listed,
    Page,
    Question,
    Word,
    person,
    words,
)
from tokentop.domain.snapshot_engines import CostInput
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database

_COLUMNS = ", ".join(f"e.{name}" for name in Entry._fields)
_PLACE = "e.at_us, e.writer, e.seq"
_FROM = "FROM entries e LEFT JOIN people p ON p.id = e.user_id"
_NEWEST = "ORDER BY e.at_us DESC, e.writer DESC, e.seq DESC"
# A chain's numbers have no gaps; of archived runs the database keeps what is no usage.
_LENGTH = """\
SELECT max(seq) - upto + (SELECT count(*) FROM entries WHERE writer = ? AND seq <= upto)
FROM entries, (SELECT coalesce(max(last_seq), 0) AS upto FROM segments WHERE writer = ?) AS archived
WHERE writer = ? GROUP BY upto"""
_TEXTS = {"user": "coalesce(p.name, e.user_id)"}  # as SQL; the other fields are columns
_ANY = " || ' ' || ".join(f"coalesce({_TEXTS.get(n, f'e.{n}')}, '')" for n in FIELDS.values())


def page(db: Database, question: Question) -> Page:
    """The entries that answer a question, counted where it is the first page; raises LedgerError.

    With a filter SEARCHED entries are read at most, so that no answer takes long.
    """
    wanted, limit = words(question.wanted), max(1, min(MOST, question.limit))
    after, place = _after(question.before)
    where, values = _conditions(wanted, _since(db, question.before) if wanted else 0)
    newest = f"SELECT {_COLUMNS} {_FROM} WHERE {where} AND {after} {_NEWEST} LIMIT ?"
    found = [Entry(*row) for row in db.rows(newest, (*values, *place, limit))]
    total, beyond = None, False
    if question.before is None:
        total = _count(db) if not wanted else len(found)
        if wanted and total == limit:
            counted = f"SELECT count(*) FROM (SELECT 1 {_FROM} WHERE {where} LIMIT ?) AS counted"
            total = int(db.rows(counted, (*values, COUNTED))[0][0])
        beyond = bool(wanted) and (total == COUNTED or _count(db) > SEARCHED)
    return Page(question.wanted, tuple(_listed(db, found)), total, beyond)


def _since(db: Database, before: str | None) -> int:
    """The time of the oldest entry that is searched, Unix microseconds."""
    upto, values = "1 = 1", []
    if before is not None:
        upto, values = "at_us <= (SELECT at_us FROM entries WHERE identity = ?)", [before]
    last = f"SELECT at_us FROM entries WHERE {upto} ORDER BY at_us DESC LIMIT 1 OFFSET ?"
    found = db.row(last, (*values, SEARCHED - 1))
    return int(found[0]) if found else 0


def _conditions(wanted: Sequence[Word], since_us: int) -> tuple[str, list[str | int]]:
    """SQL for a filter from some time on, with its values."""
    parts: list[str] = ["e.at_us >= ?"]
    values: list[str | int] = [since_us]
    for word in wanted:
        if word.field is None:
            parts.append(f"lower({_ANY}) LIKE ? ESCAPE '!'")
            values.append(f"%{_literal(word.text.lower())}%")
        else:
            parts.append(f"{_TEXTS.get(word.field, f'e.{FIELDS[word.field]}')} = ?")
            values.append(word.text)
    return " AND ".join(parts), values


def _literal(text: str) -> str:
    """Text without the wildcards of LIKE."""
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return text


def _after(before: str | None) -> tuple[str, tuple[str, ...]]:
    """SQL for what comes after an entry in the list."""
    if before is None:
        return "1 = 1", ()
    return f"({_PLACE}) < (SELECT {_PLACE} FROM entries e WHERE e.identity = ?)", (before,)


def _count(db: Database) -> int:
    """How many entries there are, without those in archives."""
    lengths = (db.row(_LENGTH, (name, name, name)) for name in reader.writers(db))
    return sum(int(length) for (length,) in filter(None, lengths))


def _listed(db: Database, entries: Sequence[Entry]) -> Iterable[Listed]:
    """Each entry with its names and the rows behind its credits."""
    ids = {i for e in entries for i in (e.user_id, e.end_user_id) if i is not None}
    people = reader.names(db, ids)
    inputs = {name: reader.valuation(db, name) for e in entries if (name := e.valuation)}
    for entry in entries:
        rows: tuple[CostInput, ...] = ()
        if entry.valuation is not None:
            rows = explained(entry, inputs[entry.valuation])
        yield Listed(entry, person(people, entry.user_id), person(people, entry.end_user_id), rows)
