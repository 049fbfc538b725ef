"""What events claim by the minute, engine and model, beside what engines have counted."""

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import MINUTE_US
from tokentop.domain.ledger.reconciliation import Claim, Reconciliation
from tokentop.transport.ledger import archive
from tokentop.transport.ledger.database import Database
from tokentop.transport.ledger.schema import COLUMNS, IS_RECORD, IS_SUMMED

_CLAIMS = f"""\
SELECT minute, engine, model, CAST(sum(generated) AS BIGINT) FROM (
  SELECT at_us / ? AS minute, engine, model, generated FROM entries
  WHERE {IS_SUMMED} AND at_us >= ? AND at_us < ? AND generated IS NOT NULL
) AS claimed GROUP BY minute, engine, model"""
_COUNTS = f"""\
SELECT {COLUMNS} FROM entries
WHERE {IS_RECORD} AND kind = 'count' AND at_us >= ? AND at_us < ?"""


def reconciled(db: Database, since_us: int, until_us: int) -> Reconciliation:
    """The counters and the claims of [since, until); what reversals cancel is taken off.

    It begins after what is archived: of that no claim is in the database any more.
    """
    found, since_us = Reconciliation(), max(since_us, archive.until(db))
    found.take(Entry(*row) for row in db.rows(_COUNTS, (since_us, until_us)))
    for row in db.rows(_CLAIMS, (MINUTE_US, since_us, until_us)):
        found.claim(Claim(*row))
    return found
