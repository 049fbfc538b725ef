"""A usage file into the ledger: batch by batch, each on the disk before the next is read."""

import json
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from itertools import islice

from tokentop.domain.ledger.event import UsageEvent, problem
from tokentop.named_tuple import NamedTuple
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
    seen: Counter[bytes] = Counter()
    done = Imported(0, 0, (), 0)
    source = iter(rows)
    while part := [_read(row, seen, now_us) for row in islice(source, BATCH)]:
        booked = writer.append((each for each in part if isinstance(each, UsageEvent)), now_us)
        refused = [each for each in part if isinstance(each, Refused)]
        done = Imported(
            done.new + booked.new,
            done.known + booked.known,
            (*done.refused, *refused)[:SHOWN],
            done.refused_count + len(refused),
        )
    return done


def _read(row: Row, seen: "Counter[bytes]", now_us: int) -> UsageEvent | Refused:
    """The event of a row, or why it has none."""
    try:
        found = _event(row.value, seen)
    except Unreadable as unreadable:
        return Refused(row.line, str(unreadable))
    wrong = problem(found, now_us)
    return found if wrong is None else Refused(row.line, wrong)


def _event(value: object, seen: "Counter[bytes]") -> UsageEvent:
    """A row without an id is known by its content, and twins in one file by their order.

    `seen` counts such rows; they are the same whenever the file is read again.
    """
    if isinstance(value, Unreadable):
        raise value
    found = event(value, "")
    if found.identity:
        return found
    digest = sha256(json.dumps(value, sort_keys=True).encode()).digest()[:16]
    seen[digest] += 1
    return found._replace(identity=f"row:{digest.hex()}:{seen[digest]}")
