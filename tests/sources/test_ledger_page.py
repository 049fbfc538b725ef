"""A page of entries from a server that is not to be trusted."""

import json

import pytest

from tokentop.sources.json_fields import BadData
from tokentop.sources.ledger_page import read

WHOLE = {
    "writer": "w", "seq": 1, "kind": "usage", "identity": "a", "at_us": 1_795_262_400_000_000,
    "booked_us": 1_795_262_400_000_000, "feed": "f", "outcome": "success", "estimated": 0,
}  # fmt: skip


def page(*rows: object) -> bytes:
    return json.dumps({"entries": rows, "total": 3}).encode()


def test_rows_that_are_no_entries_are_left_out() -> None:
    """Without a time, with one that lies before 1970, or no object at all."""
    good = {**WHOLE, "prompt": -5, "model": "\x1b[2Jm", "inputs": ["x", {"label": "l"}]}
    rows = ({**WHOLE, "at_us": None}, {**WHOLE, "at_us": -1}, "text", None, [], good)
    found = read(page(*rows), "wanted")
    assert len(found.rows) == 1
    assert (found.wanted, found.total) == ("wanted", 3)
    entry = found.rows[0].entry
    assert (entry.prompt, entry.model, entry.cached) == (-5, "m", None)
    assert found.rows[0].valuation[0]._asdict() == {"label": "l", "value": "", "source": ""}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"entries": 5}', b'{"rows": []}'])
def test_what_is_no_page_is_a_sentence(body: bytes) -> None:
    with pytest.raises(BadData):
        read(body, "")
