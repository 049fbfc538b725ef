"""Events appended to the ledger: valued, chained, counted once, all of a batch or none of it."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from os import urandom
from typing import NamedTuple

from tokentop.domain.economy.valuation import Value
from tokentop.domain.ledger.entry import (
    GENESIS,
    Entry,
    Link,
    canonical,
    chained,
    encode,
    reversal,
    usage,
)
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.totals import DIMENSIONS, Bucket, Totals, added, bucket, totals
from tokentop.transport.ledger.database import LedgerError, transaction

_AT_ONCE = 500  # parameters of one statement

_KEYS = ("hour", *DIMENSIONS)


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"


_INSERT = _insert("entries", (*Entry._fields, "hash"))
_COUNT = (
    f"{_insert('hourly', (*_KEYS, *Totals._fields))} ON CONFLICT ({', '.join(_KEYS)}) DO UPDATE "
    f"SET {', '.join(f'{name} = hourly.{name} + excluded.{name}' for name in Totals._fields)}"
)
_ENTRY = f"SELECT {', '.join(Entry._fields)} FROM entries WHERE identity = ?"
_HEAD = "SELECT seq, hash FROM entries WHERE writer = ? ORDER BY seq DESC LIMIT 1"
_KNOWN = "SELECT identity, identity FROM entries WHERE identity"
_PEOPLE = "SELECT name, id FROM people WHERE name"
_VALUED = "SELECT id, id FROM valuations WHERE id"


class Booked(NamedTuple):
    """How many events of a batch are new entries, and how many were in the ledger already."""

    new: int
    known: int


class Writer:
    """Appends to one chain. `name` is the writer's; several processes may share it.

    Used by one thread. Raises sqlite3.Error where the database does; nothing of that batch is
    booked then.
    """

    def __init__(
        self, connection: sqlite3.Connection, name: str, value: Callable[[UsageEvent], Value]
    ) -> None:
        self._db = connection
        self._name = name
        self._value = value

    def append(self, events: Iterable[UsageEvent], now_us: int) -> Booked:
        """Book what is not in the ledger yet; on return it is on the disk.

        `now_us` is Unix microseconds. An entry keeps the event's own time, however late it comes.
        """
        given = list(events)
        unique: dict[str, UsageEvent] = {}
        for event in given:
            unique.setdefault(event.identity, event)
        with transaction(self._db):
            known = self._lookup(_KNOWN, unique)
            new = [event for name, event in unique.items() if name not in known]
            people, values = self._people(new), self._values(new)
            pairs = zip(new, values, strict=True)
            self._book(now_us, [partial(usage, e, value=v, people=people) for e, v in pairs])
        return Booked(len(new), len(given) - len(new))

    def reverse(self, identity: str, now_us: int) -> Entry:
        """Book the entry that cancels one; raises LedgerError where that cannot be."""
        with transaction(self._db):
            row = self._db.execute(_ENTRY, (identity,)).fetchone()
            if row is None or Entry(*row).kind == "reversal":
                raise LedgerError(f"there is no entry of usage called {identity!a}")
            if self._lookup(_KNOWN, [f"reversal:{identity}"]):
                raise LedgerError("that entry was reversed already")
            return self._book(now_us, [partial(reversal, Entry(*row))])[0]

    def _book(self, now_us: int, make: Sequence[Callable[..., Entry]]) -> list[Entry]:
        """Chain and insert entries; `make` has one function an entry, given its place."""
        last, before = self._head()
        entries, rows = [], []
        sums: dict[Bucket, Totals] = {}
        for seq, one in enumerate(make, last + 1):
            entry = one(link=Link(self._name, seq, now_us))
            before = chained(before, encode(entry))
            entries.append(entry)
            rows.append((*entry, before))
            place = bucket(entry)
            sums[place] = added(sums.get(place, Totals()), totals(entry))
        self._db.executemany(_INSERT, rows)
        self._db.executemany(_COUNT, [(*place, *sums[place]) for place in sums])
        return entries

    def _head(self) -> tuple[int, bytes]:
        """The number and hash of this writer's last entry."""
        found = self._db.execute(_HEAD, (self._name,)).fetchone()
        return (0, GENESIS) if found is None else found

    def _people(self, events: Sequence[UsageEvent]) -> dict[str, str]:
        """The id of every name in a batch; a new name gets a random one."""
        names = {name for event in events for name in (event.user, event.end_user) if name}
        ids = self._lookup(_PEOPLE, names)
        new = {name: urandom(8).hex() for name in sorted(names - ids.keys())}
        self._db.executemany("INSERT INTO people (name, id) VALUES (?, ?)", new.items())
        return ids | new

    def _values(self, events: Sequence[UsageEvent]) -> list[tuple[int | None, str | None]]:
        """Milli-credits of each event, with the id of their inputs, which are kept once."""
        found: list[tuple[int | None, str | None]] = []
        kept: dict[str, str] = {}
        for event in events:
            milli_credits, inputs = self._value(event)
            name = None
            if inputs is not None:
                text = canonical(inputs)
                name = sha256(text).hexdigest()
                kept[name] = text.decode()
            found.append((milli_credits, name))
        known = self._lookup(_VALUED, kept)
        new = [(name, text) for name, text in kept.items() if name not in known]
        self._db.executemany("INSERT INTO valuations (id, inputs) VALUES (?, ?)", new)
        return found

    def _lookup(self, select: str, values: Collection[str]) -> dict[str, str]:
        """The two columns of `select`, which ends in the column that must be among `values`."""
        found: dict[str, str] = {}
        wanted = iter(values)
        while part := list(islice(wanted, _AT_ONCE)):
            found.update(self._db.execute(f"{select} IN ({', '.join('?' * len(part))})", part))
        return found
