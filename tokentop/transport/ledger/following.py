"""What a follower of the ledger begins with: where each chain ends, and sums up to there."""

from collections.abc import Collection, Iterator

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.totals import Totals
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.database import Database
from tokentop.transport.ledger.reader import writers
from tokentop.transport.ledger.schema import COLUMNS, IS_RECORD

_HEAD = "SELECT max(seq) FROM entries WHERE writer = ?"
_TOTALS = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in Totals._fields)
_PAYERS = "user_id, project, team"
_SLOTS = (
    f"SELECT slot, {_PAYERS}, {_TOTALS} FROM (SELECT at_us / ? AS slot, {_PAYERS}, "
    f"{', '.join(Totals._fields)} FROM entry_sums WHERE at_us >= ?) AS lately "
    f"GROUP BY slot, {_PAYERS}"
)
_RECORDS = (
    f"SELECT {COLUMNS} FROM entries WHERE {IS_RECORD} AND kind = ? AND at_us >= ? "
    "ORDER BY at_us, writer, seq"
)


class Slot(NamedTuple):
    """Sums over a short time from `at_us` on, of one user, project and team."""

    at_us: int
    user_id: str | None
    project: str | None
    team: str | None
    totals: Totals


def heads(db: Database) -> dict[str, int]:
    """The number of each writer's last entry."""
    return {name: int((db.row(_HEAD, (name,)) or (0,))[0]) for name in writers(db)}


def slots(db: Database, length_us: int, since_us: int) -> Iterator[Slot]:
    """What was spent since a moment, in slots of so many microseconds."""
    for slot, user_id, project, team, *sums in db.rows(_SLOTS, (length_us, since_us)):
        payers = (user_id or None, project or None, team or None)
        yield Slot(slot * length_us, *payers, Totals(*sums))


def records(db: Database, kind: str, since_us: int = 0) -> list[Entry]:
    """Entries of a kind other than usage and reversal since a moment, in the order of times."""
    return [Entry(*row) for row in db.rows(_RECORDS, (kind, since_us))]


def ids(db: Database, names: Collection[str]) -> dict[str, str]:
    """The name of each of these people by id, those who are not in the ledger left out."""
    return dict(db.among("SELECT id, name FROM people WHERE name", names))
