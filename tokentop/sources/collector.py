"""What another tokentop's `serve` is asked, and what its answers mean."""

import re

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_decode import loads
from tokentop.domain.snapshot_json import SCHEMA
from tokentop.sources.json_fields import BadData

TOKEN_ECONOMY = "/api/system/token-economy"
STREAM = f"{TOKEN_ECONOMY}/stream"
LEDGER = "/api/system/ledger/entries"
_OTHER, _HEAD = re.compile(rb'"schema": ?"(tokentop/[0-9]{1,4})"'), 64  # it is the first key


def snapshot(body: bytes) -> Snapshot:
    """The snapshot of one answer or event; raises BadData where it is none."""
    found = loads(body)
    if found is None:
        other = _OTHER.search(body[:_HEAD])
        if other is None or other[1].decode() == SCHEMA:
            raise BadData(f"what answers there is no `tokentop serve`: it sent no {SCHEMA} object")
        raise BadData(
            f"it speaks {other[1].decode()} and this version {SCHEMA}: upgrade the older of the two"
        )
    return found
