"""A usage file into the ledger: batch by batch, each on the disk before the next is read."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from tokentop.domain.ledger.event import UsageEvent, problem
from tokentop.runtime.ledger.usage_file import Row
from tokentop.sources.usage.rows import Unreadable, event
from tokentop.transport.ledger.writer import Writer

BATCH = 500
SHOWN = 20  # refused rows that are named


class Refused(NamedTuple):
    """A row that was not booked: its line and the reason."""

    line: int
    reason: str


class Imported(NamedTuple):
    """What became of a file's rows; `refused` names the first SHOWN of `refused_count`."""

    new: int
    known: int
    refused: tuple[Refused, ...]
    refused_count: int


def import_rows(rows: Iterable[Row], writer: Writer, now_us: int) -> Imported:
    """Book every row that can be; a file that was read before adds nothing."""
    refused: list[Refused] = []
    events = _events(rows, now_us, refused)
    new = known = 0
    while batch := list(islice(events, BATCH)):
        booked = writer.append(batch, now_us)
        new, known = new + booked.new, known + booked.known
    return Imported(new, known, tuple(refused[:SHOWN]), len(refused))


def _events(rows: Iterable[Row], now_us: int, refused: list[Refused]) -> Iterator[UsageEvent]:
    seen: Counter[bytes] = Counter()  # of rows without an id: twins in one file are two events
    for line, value in rows:
        try:
            found = _event(value, seen)
            wrong = problem(found, now_us)
        except Unreadable as unreadable:
            wrong = str(unreadable)
        if wrong is None:
            yield found
        else:
            refused.append(Refused(line, wrong))


def _event(value: object, seen: "Counter[bytes]") -> UsageEvent:
    if isinstance(value, Unreadable):
        raise value
    digest = sha256(json.dumps(value, sort_keys=True).encode()).digest()[:16]
    found = event(value, f"row:{digest.hex()}:{seen[digest]}")
    if found.identity.startswith("row:"):
        seen[digest] += 1
    return found
