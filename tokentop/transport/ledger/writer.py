"""Events appended to the ledger: valued, chained, counted once, all of a batch or none of it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from os import urandom

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
from tokentop.domain.ledger.record import Record, recorded
from tokentop.domain.ledger.totals import (
    DIMENSIONS,
    SUMMED,
    Bucket,
    Totals,
    added,
    bucket,
    totals,
)
from tokentop.light_typing import TypeVar
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.archive import identity_hash
from tokentop.transport.ledger.database import Database, LedgerError
from tokentop.transport.ledger.reader import entry

Key = TypeVar("Key", str, bytes)
Check = Callable[[Database], object]

_KEYS = ("hour", *DIMENSIONS)
_SUMS = (*_KEYS, *Totals._fields)
_ADD = (
    f"ON CONFLICT ({', '.join(_KEYS)}) DO UPDATE "
    f"SET {', '.join(f'{name} = hourly.{name} + excluded.{name}' for name in Totals._fields)}"
)
_HEAD = "SELECT seq, hash FROM entries WHERE writer = ? ORDER BY seq DESC LIMIT 1"
_ARCHIVED = "SELECT id, id FROM archived WHERE id"
_KNOWN = "SELECT identity, identity FROM entries WHERE identity"
_PEOPLE = "SELECT name, id FROM people WHERE name"
_VALUED = "SELECT id, id FROM valuations WHERE id"


class Booked(NamedTuple):
    """The new entries of a batch, and how many of it were in the ledger already."""

    entries: tuple[Entry, ...]
    known: int

    @property
    def new(self) -> int:
        return len(self.entries)


class Writer:
    """Appends to one chain. `name` is the writer's; several processes may share it.

    Used by one thread. Raises LedgerError where the database fails; nothing of that batch is
    booked then, and it may be sent again.
    """

    def __init__(self, db: Database, name: str, value: Callable[[UsageEvent], Value]) -> None:
        self._db = db
        self._name = name
        self._value = value

    def append(
        self, given: Iterable[UsageEvent | Record], now_us: int, check: Check | None = None
    ) -> Booked:
        """Book what is not in the ledger yet; on return it is on the disk.

        `now_us` is Unix microseconds. An entry keeps the event's own time, however late it comes.
        `check` gets the database before anything of this batch is booked, at a moment when no
        other process can book; nothing is where it raises.
        """
        batch = list(given)
        unique: dict[str, UsageEvent | Record] = {}
        for each in batch:
            unique.setdefault(each.identity, each)
        with self._checked(check):
            known = self._known(unique)
            new = [each for name, each in unique.items() if name not in known]
            entries = self._book(now_us, self._makers(new))
        return Booked(tuple(entries), len(batch) - len(new))

    @contextmanager
    def _checked(self, check: Check | None) -> Iterator[None]:
        """A transaction that begins with the check."""
        with self._db.transaction():
            if check is not None:
                check(self._db)
            yield

    def _makers(self, new: Sequence[UsageEvent | Record]) -> list[Callable[..., Entry]]:
        """For each event a function that makes its entry, given its link."""
        people = self._people(new)
        values = self._values([each for each in new if isinstance(each, UsageEvent)])
        return [
            partial(usage, each, value=values[each.identity], people=people)
            if isinstance(each, UsageEvent)
            else partial(recorded, each, people=people)
            for each in new
        ]

    def close(self) -> None:
        """Close the connection to the database."""
        self._db.close()

    def reverse(self, identity: str, now_us: int) -> Entry:
        """Book the entry that cancels one; raises LedgerError where that cannot be."""
        with self._db.transaction():
            found = entry(self._db, identity)
            if found is None or found.kind != "usage":
                raise LedgerError(f"there is no entry of usage called {identity!a}")
            if self._known([f"reversal:{identity}"]):
                raise LedgerError("that entry was reversed already")
            return self._book(now_us, [partial(reversal, found)])[0]

    def _known(self, identities: Collection[str]) -> Collection[str]:
        """Those of the identities that are in the ledger, archived or not."""
        known = self._lookup(_KNOWN, identities)
        hashes = {identity_hash(each): each for each in identities if each not in known}
        return {*known, *(hashes[each] for each in self._lookup(_ARCHIVED, hashes))}

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
            if entry.kind in SUMMED:
                place = bucket(entry)
                sums[place] = added(sums.get(place, Totals()), totals(entry))
        self._db.insert("entries", (*Entry._fields, "hash"), rows)
        self._db.insert("hourly", _SUMS, [(*place, *sums[place]) for place in sums], _ADD)
        return entries

    def _head(self) -> tuple[int, bytes]:
        """The number and hash of this writer's last entry."""
        seq, last = self._db.row(_HEAD, (self._name,)) or (0, GENESIS)
        return seq, last

    def _people(self, given: Sequence[UsageEvent | Record]) -> dict[str, str]:
        """The id of every name in a batch; a new name gets a random one."""
        names = {each.user for each in given if each.user}
        names |= {each.end_user for each in given if isinstance(each, UsageEvent) and each.end_user}
        ids = self._lookup(_PEOPLE, names)
        new = {name: urandom(8).hex() for name in sorted(names - ids.keys())}
        self._db.insert("people", ("name", "id"), new.items())
        return ids | new

    def _values(self, events: Iterable[UsageEvent]) -> dict[str, tuple[int | None, str | None]]:
        """Milli-credits by identity, with the id of their inputs, which are kept once."""
        found: dict[str, tuple[int | None, str | None]] = {}
        kept: dict[str, str] = {}
        for event in events:
            milli_credits, inputs = self._value(event)
            name = None
            if inputs is not None:
                text = canonical(inputs)
                name = sha256(text).hexdigest()
                kept[name] = text.decode()
            found[event.identity] = milli_credits, name
        known = self._lookup(_VALUED, kept)
        new = [(name, text) for name, text in kept.items() if name not in known]
        self._db.insert("valuations", ("id", "inputs"), new)
        return found

    def _lookup(self, select: str, values: Collection[Key]) -> dict[Key, str]:
        """The two columns of `select`, which ends in the column that must be among `values`."""
        return dict(self._db.among(select, values))
