"""The same code over a file and a server: counted once, late, reversed, summed, followed."""

import threading

import pytest

from tests.domain.ledger.examples import HOUR_US, NOON_US, NOW_US, event
from tests.transport.ledger.conftest import Opening
from tests.transport.ledger.test_ledger import booked, total, valued
from tokentop.runtime.ledger.verify import verify
from tokentop.transport.ledger import reader
from tokentop.transport.ledger.database import Database, LedgerError
from tokentop.transport.ledger.writer import Writer


def test_an_event_counts_once(ledger: Database) -> None:
    """Within a batch, in a later one, from another writer."""
    writer = Writer(ledger, "a", valued)
    first = writer.append([event(1), event(2), event(1)], NOW_US)
    assert ([each.identity for each in first.entries], first.known) == (["test:1", "test:2"], 1)
    again = writer.append([event(2), event(3)], NOW_US)
    assert (again.new, again.known) == (1, 1)
    elsewhere = Writer(ledger, "b", valued).append([event(3), event(4)], NOW_US)
    assert (elsewhere.new, elsewhere.known) == (1, 1)
    assert total(ledger).requests == 4


def test_a_late_event_is_booked_at_its_own_time(ledger: Database) -> None:
    writer = booked(ledger)
    writer.append([event(99, at_us=NOON_US - 48 * HOUR_US)], NOW_US)
    assert total(ledger, NOON_US - 49 * HOUR_US, NOON_US - 47 * HOUR_US).requests == 1
    assert [entry.seq for entry, _ in reader.chain(ledger, "a")][-1] == 6
    assert verify(ledger).faults == ()


def test_sums_are_exact_at_any_bound(ledger: Database) -> None:
    """Whole hours come from kept sums, the rest from entries; both by plain counting."""
    times = [NOON_US + minute * 60_000_000 for minute in range(0, 300, 7)]
    Writer(ledger, "a", valued).append(
        [event(number, at_us=at, prompt=number + 1) for number, at in enumerate(times)], NOW_US
    )
    bounds = [NOON_US + minute * 60_000_000 for minute in (-5, 0, 1, 59, 60, 61, 120, 185, 300)]
    for since in bounds:
        for until in bounds:
            inside = [number for number, at in enumerate(times) if since <= at < until]
            found = total(ledger, since, until)
            assert (found.requests, found.prompt) == (
                len(inside), sum(number + 1 for number in inside),
            )  # fmt: skip


def test_a_report_groups_and_tells_unknown_from_nothing(ledger: Database) -> None:
    Writer(ledger, "a", valued).append(
        [event(1), event(2, model="own", micro_usd=None, user=None), event(3, project="beta")],
        NOW_US,
    )
    found = {
        row.keys: row.totals for row in reader.sums(ledger, ["project", "model"], 0, 2 * NOW_US)
    }
    assert set(found) == {("alpha", "gpt-4o"), ("alpha", "own"), ("beta", "gpt-4o")}
    assert (found["alpha", "own"].unpriced, found["alpha", "own"].unvalued) == (1, 1)
    # 100 prompt tokens at 100 and 50 generated ones at 300 credits a million: 0.025 credits
    assert found["beta", "gpt-4o"].milli_credits == 25
    assert found["beta", "gpt-4o"].unvalued == 0
    users = {row.keys for row in reader.sums(ledger, ["user_id"], 0, 2 * NOW_US)}
    assert (None,) in users
    assert len(users) == 2


def test_a_reversal_cancels_and_happens_once(ledger: Database) -> None:
    writer = booked(ledger)
    writer.reverse("test:3", NOW_US)
    assert total(ledger).requests == 4
    assert verify(ledger).faults == ()
    with pytest.raises(LedgerError, match="reversed already"):
        writer.reverse("test:3", NOW_US)
    for name in ("test:77", "reversal:test:3"):
        with pytest.raises(LedgerError, match="no entry of usage"):
            writer.reverse(name, NOW_US)


def at_once(opening: Opening, names: tuple[str, ...], firsts: tuple[int, ...]) -> None:
    """Book 40 events one by one on each of several threads, as processes of their own would."""

    def many(name: str, first: int) -> None:
        writer = Writer(opening(), name, valued)
        for number in range(first, first + 40):
            writer.append([event(number)], NOW_US)

    threads = [threading.Thread(target=many, args=each) for each in zip(names, firsts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_writers_of_one_chain_wait_for_each_other(opening: Opening) -> None:
    """Two processes of one machine share its name: no number is given twice."""
    db = opening()
    at_once(opening, ("a", "a"), (0, 1000))
    assert [chain.size for chain in verify(db).chains] == [80]
    assert verify(db).faults == ()


def test_what_two_collectors_send_at_once_is_booked_once(opening: Opening) -> None:
    """Each has a chain of its own; every event is in one of them."""
    db = opening()
    at_once(opening, ("a", "b"), (0, 0))
    assert sum(chain.size for chain in verify(db).chains) == 40
    assert total(db).requests == 40
    assert verify(db).faults == ()


def test_an_erased_name_leaves_the_chain_whole(ledger: Database) -> None:
    booked(ledger)
    assert set(reader.people(ledger).values()) == {"ada"}
    assert reader.erase(ledger, "ada")
    assert not reader.erase(ledger, "ada")
    assert reader.people(ledger) == {}
    assert verify(ledger).faults == ()


@pytest.mark.parametrize("off_us", [-HOUR_US, HOUR_US])
def test_a_clock_an_hour_off_breaks_nothing(ledger: Database, off_us: int) -> None:
    """Events keep their own times; the chain is whole, and followers get it in its order."""
    writer = booked(ledger)
    ahead = [event(number, at_us=NOW_US + off_us + number) for number in range(20, 23)]
    writer.append(ahead, NOW_US + off_us)
    writer.append([event(30)], NOW_US)
    assert verify(ledger).faults == ()
    assert [each.seq for each in reader.entries_after(ledger, {})] == list(range(1, 10))
    assert total(ledger, NOW_US + off_us, NOW_US + off_us + HOUR_US).requests == 3
