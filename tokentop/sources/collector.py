"""What another tokentop's `serve` is asked, and what its answers mean."""

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_decode import loads
from tokentop.sources.json_fields import BadData

TOKEN_ECONOMY = "/api/system/token-economy"
STREAM = f"{TOKEN_ECONOMY}/stream"
LEDGER = "/api/system/ledger/entries"


def snapshot(body: bytes) -> Snapshot:
    """The snapshot of one answer or event; raises BadData where it is none."""
    found = loads(body)
    if found is None:
        raise BadData("what answers there is no `tokentop serve`: it sent no tokentop/1 object")
    return found
