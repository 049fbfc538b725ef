"""What events claim by the minute, engine and model, beside what engines have counted."""

from tokentop.domain.ledger.counting import MINUTE_US
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.reconciliation import Claim, Reconciliation
from tokentop.transport.ledger.database import Database

_CLAIMS = """\
SELECT minute, engine, model, CAST(sum(generated) AS BIGINT) FROM (
  SELECT at_us / ? AS minute, engine, model, generated FROM entries
  WHERE kind IN ('usage', 'reversal') AND at_us >= ? AND at_us < ? AND generated IS NOT NULL
) AS claimed GROUP BY minute, engine, model"""
_COUNTS = f"""\
SELECT {", ".join(Entry._fields)} FROM entries
WHERE kind NOT IN ('usage', 'reversal') AND kind = 'count' AND at_us >= ? AND at_us < ?"""


def reconciled(db: Database, since_us: int, until_us: int) -> Reconciliation:
    """The counters and the claims of [since, until); what reversals cancel is taken off."""
    found = Reconciliation()
    found.take(Entry(*row) for row in db.rows(_COUNTS, (since_us, until_us)))
    for row in db.rows(_CLAIMS, (MINUTE_US, since_us, until_us)):
        found.claim(Claim(*row))
    return found
