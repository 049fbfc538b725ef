"""What other parts keep in the ledger beside usage, and how they follow it."""

import json

import pytest

from tests.domain.ledger.examples import NOW_US, event
from tests.transport.ledger.test_ledger import booked, total, valued
from tokentop.domain.ledger.record import Record
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, LedgerError
from tokentop.transport.ledger.writer import Writer

GIVEN = Record(
    "transfer", "swap:1:from", NOW_US, "given", project="alpha", milli_credits=-5000, user="grace",
    details={"swap": "1", "to": "beta", "amount": 5000},
)  # fmt: skip
TAKEN = Record("transfer", "swap:1:to", NOW_US, "taken", project="beta", milli_credits=5000)


def test_records_stand_in_the_chain_and_in_no_sum(ledger: Database) -> None:
    writer = booked(ledger, 3)
    before = total(ledger)
    done = writer.append([GIVEN, event(7), TAKEN, GIVEN], NOW_US)
    assert [(each.seq, each.kind) for each in done.entries] == [
        (4, "transfer"), (5, "usage"), (6, "transfer"),
    ]  # fmt: skip
    assert (total(ledger).requests, total(ledger).milli_credits) == (
        before.requests + 1, before.milli_credits + done.entries[1].milli_credits,
    )  # fmt: skip
    found = verify(ledger)
    assert (found.faults, found.chains[0].size) == ((), 6)


def test_a_record_is_read_back_and_names_no_person(ledger: Database) -> None:
    Writer(ledger, "a", valued).append([GIVEN], NOW_US)
    entry = reader.entry(ledger, "swap:1:from")
    assert entry is not None
    assert (entry.project, entry.milli_credits, entry.outcome) == ("alpha", -5000, "given")
    assert json.loads(entry.details or "") == {"swap": "1", "to": "beta", "amount": 5000}
    assert reader.people(ledger)[entry.user_id or ""] == "grace"
    assert "grace" not in str(entry)


def test_a_record_counts_once_and_is_not_reversed(ledger: Database) -> None:
    writer = Writer(ledger, "a", valued)
    writer.append([GIVEN], NOW_US)
    assert writer.append([GIVEN, TAKEN], NOW_US).known == 1
    with pytest.raises(LedgerError, match="no entry of usage"):
        writer.reverse("swap:1:to", NOW_US)


def test_a_follower_reads_every_entry_once_in_the_order_of_booking(ledger: Database) -> None:
    """Of several writers, and with pages far smaller than the ledger."""
    first, second = Writer(ledger, "a", valued), Writer(ledger, "b", valued)
    for number in range(6):
        (first, second)[number % 2].append([event(number), event(number + 50)], NOW_US + number)
    last: dict[str, int] = {}
    seen = []
    for entry in reader.entries_after(ledger, last):
        last[entry.writer] = entry.seq
        seen.append(entry.identity)
    assert seen == [f"test:{n}" for number in range(6) for n in (number, number + 50)]
    second.append([event(99)], NOW_US)
    assert [entry.identity for entry in reader.entries_after(ledger, last)] == ["test:99"]
    assert list(reader.entries_after(ledger, last | {"b": 7})) == []


def test_pages_are_read_on_from_their_last_entry(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "AT_ONCE", 3)
    booked(ledger, 10)
    assert [entry.seq for entry, _ in reader.chain(ledger, "a")] == list(range(1, 11))
    assert verify(ledger).faults == ()
