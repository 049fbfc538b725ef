"""What other parts keep in the ledger beside usage, and how they follow it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.test_ledger import booked, total, valued
from tokentop.domain.ledger.record import Record
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, LedgerError, connect
from tokentop.transport.ledger.writer import Writer

GIVEN = Record(
    "transfer", "swap:1:from", NOW_US, "given", project="alpha", milli_credits=-5000, user="grace",
    details={"swap": "1", "to": "beta", "amount": 5000},
)  # fmt: skip
TAKEN = Record("transfer", "swap:1:to", NOW_US, "taken", project="beta", milli_credits=5000)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = connect(str(tmp_path / "ledger.sqlite3"), create=True)
    yield connection
    connection.close()


def test_records_stand_in_the_chain_and_in_no_sum(db: Database) -> None:
    writer = booked(db, 3)
    before = total(db)
    done = writer.append([GIVEN, event(7), TAKEN, GIVEN], NOW_US)
    assert [(each.seq, each.kind) for each in done.entries] == [
        (4, "transfer"), (5, "usage"), (6, "transfer"),
    ]  # fmt: skip
    assert (total(db).requests, total(db).milli_credits) == (
        before.requests + 1, before.milli_credits + done.entries[1].milli_credits,
    )  # fmt: skip
    found = verify(db)
    assert (found.faults, found.chains[0].size) == ((), 6)


def test_a_record_is_read_back_and_names_no_person(db: Database) -> None:
    Writer(db, "a", valued).append([GIVEN], NOW_US)
    entry = reader.entry(db, "swap:1:from")
    assert entry is not None
    assert (entry.project, entry.milli_credits, entry.outcome) == ("alpha", -5000, "given")
    assert json.loads(entry.details or "") == {"swap": "1", "to": "beta", "amount": 5000}
    assert reader.people(db)[entry.user_id or ""] == "grace"
    assert "grace" not in str(entry)


def test_a_record_counts_once_and_is_not_reversed(db: Database) -> None:
    writer = Writer(db, "a", valued)
    writer.append([GIVEN], NOW_US)
    assert writer.append([GIVEN, TAKEN], NOW_US).known == 1
    with pytest.raises(LedgerError, match="no entry of usage"):
        writer.reverse("swap:1:to", NOW_US)


def test_a_follower_reads_every_entry_once_in_the_order_of_booking(db: Database) -> None:
    """Of several writers, and with pages far smaller than the ledger."""
    first, second = Writer(db, "a", valued), Writer(db, "b", valued)
    for number in range(6):
        (first, second)[number % 2].append([event(number), event(number + 50)], NOW_US + number)
    last: dict[str, int] = {}
    seen = []
    for entry in reader.entries_after(db, last):
        last[entry.writer] = entry.seq
        seen.append(entry.identity)
    assert seen == [f"test:{n}" for number in range(6) for n in (number, number + 50)]
    second.append([event(99)], NOW_US)
    assert [entry.identity for entry in reader.entries_after(db, last)] == ["test:99"]
    assert list(reader.entries_after(db, last | {"b": 7})) == []


def test_pages_are_read_on_from_their_last_entry(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "AT_ONCE", 3)
    booked(db, 10)
    assert [entry.seq for entry, _ in reader.chain(db, "a")] == list(range(1, 11))
    assert verify(db).faults == ()
