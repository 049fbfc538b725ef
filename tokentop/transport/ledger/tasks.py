"""What the detector and the audit read: the latest usage, and what a month's tasks have cost."""

from collections.abc import Mapping

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.replenishment.audit import Month
from tokentop.transport.ledger.database import Database
from tokentop.transport.ledger.schema import COLUMNS, IS_RECORD, IS_SUMMED

_LATEST = (
    f"SELECT {COLUMNS} FROM entries WHERE {IS_SUMMED} AND at_us < ? ORDER BY at_us DESC LIMIT ?"
)
_SPENT = (
    "SELECT project, count(DISTINCT coalesce(session, identity)), "
    "CAST(sum(milli_credits) AS BIGINT) FROM entries "
    "WHERE kind = 'usage' AND at_us >= ? AND at_us < ? AND project IS NOT NULL GROUP BY project"
)
_VALUE = (
    "SELECT project, CAST(sum(micro_usd) AS BIGINT) FROM entries "
    f"WHERE {IS_RECORD} AND kind = 'value' AND at_us >= ? AND at_us < ? "
    "GROUP BY project"
)


def latest(db: Database, count: int, until_us: int) -> list[Entry]:
    """The last entries of usage and their reversals before a moment, oldest first."""
    return [Entry(*row) for row in db.rows(_LATEST, (until_us, count))][::-1]


def months(db: Database, since_us: int, until_us: int) -> Mapping[str, Month]:
    """Tasks, credits and reported value of each project, of entries at [since, until)."""
    span = (since_us, until_us)
    found = {row[0]: Month(row[1], row[2] or 0) for row in db.rows(_SPENT, span)}
    for project, micro_usd in value(db, *span).items():
        found[project] = found.get(project, Month())._replace(micro_usd=micro_usd)
    return found


def value(db: Database, since_us: int, until_us: int) -> dict[str, int]:
    """Reported value of each project at [since, until), in micro-USD."""
    return dict(db.rows(_VALUE, (since_us, until_us)))
