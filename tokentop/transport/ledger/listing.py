"""Entries as they are listed: the newest first, filtered, page by page."""

from collections.abc import Iterable, Sequence

from tokentop.domain.economy.valuation_explained import explained
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.listing import (
    COUNTED,
    FIELDS,
    MOST,
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
_NAMED = "LEFT JOIN people p ON p.id = e.user_id"
_TEXTS = {"user": "coalesce(p.name, e.user_id)"}  # as SQL; the other fields are columns
_ANY = " || ' ' || ".join(f"coalesce({_TEXTS.get(n, f'e.{n}')}, '')" for n in FIELDS.values())


def page(db: Database, question: Question) -> Page:
    """The entries that answer a question; raises LedgerError."""
    where, values = _conditions(words(question.wanted))
    after, place = _after(question.before)
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM entries e {_NAMED} WHERE {where} AND {after} "
        f"ORDER BY e.at_us DESC, e.writer DESC, e.seq DESC LIMIT ?",
        (*values, *place, max(1, min(MOST, question.limit))),
    )
    found = [Entry(*row) for row in rows]
    total, beyond = _count(db, where, values)
    return Page(question.wanted, tuple(_listed(db, found)), total, beyond)


def _conditions(wanted: Sequence[Word]) -> tuple[str, list[str]]:
    """SQL for a filter, with its values; what has no condition is all of the ledger."""
    parts, values = ["1 = 1"], []
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


def _count(db: Database, where: str, values: Sequence[str]) -> tuple[int, bool]:
    """How many entries match, and whether more do than are counted; without a filter all are."""
    if not values:
        ((count,),) = db.rows("SELECT count(*) FROM entries")
        return int(count), False
    counted = f"SELECT 1 FROM entries e {_NAMED} WHERE {where} LIMIT {COUNTED + 1}"
    ((count,),) = db.rows(f"SELECT count(*) FROM ({counted}) AS counted", values)
    return min(count, COUNTED), count > COUNTED


def _listed(db: Database, entries: Sequence[Entry]) -> Iterable[Listed]:
    """Each entry with its names and the rows behind its credits."""
    people = _names(db, entries)
    inputs = {name: reader.valuation(db, name) for e in entries if (name := e.valuation)}
    for entry in entries:
        rows: tuple[CostInput, ...] = ()
        if entry.valuation is not None:
            rows = explained(entry, inputs[entry.valuation])
        yield Listed(entry, person(people, entry.user_id), person(people, entry.end_user_id), rows)


def _names(db: Database, entries: Iterable[Entry]) -> dict[str, str]:
    """The names of the people of some entries."""
    ids = sorted({i for e in entries for i in (e.user_id, e.end_user_id) if i is not None})
    marks = ", ".join("?" * len(ids))
    named = f"SELECT id, name FROM people WHERE name IS NOT NULL AND id IN ({marks})"
    return dict(db.rows(named, ids))
