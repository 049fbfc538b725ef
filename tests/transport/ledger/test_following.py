"""What a follower begins with, in every database that can hold a ledger."""

from tests.domain.budgets.examples import UTC, rule
from tests.domain.ledger.examples import HOUR_US, NOON_US, event
from tests.transport.ledger.conftest import Opening
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.budgets.decision import decision
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.record import Record
from tokentop.runtime.ledger.accounts import Accounts
from tokentop.transport.ledger import following
from tokentop.transport.ledger.writer import Writer

SLOT_US = 10_000_000


def filled(opening: Opening) -> Writer:
    """Three requests of ada's within 20 s of noon, one of bob's an hour before, and a stop."""
    db = opening()
    writer = Writer(db, "b", valued)
    writer.append([event(number, at_us=NOON_US + number * SLOT_US // 2) for number in range(3)],
                  NOON_US)  # fmt: skip
    other = event(9, at_us=NOON_US - HOUR_US, user="bob", project=None)
    made = decision("alpha", "stop", user="ada", identity="d", at_us=NOON_US)
    Writer(db, "a", valued).append([other, made], NOON_US)
    return writer


def test_where_each_chain_ends(opening: Opening) -> None:
    assert following.heads(opening()) == {}
    filled(opening)
    assert following.heads(opening()) == {"a": 2, "b": 3}


def test_the_last_minutes_in_slots(opening: Opening) -> None:
    filled(opening)
    found = sorted(following.slots(opening(), SLOT_US, NOON_US - 1))
    assert [(slot.at_us - NOON_US, slot.project, slot.team, slot.totals.requests,
             slot.totals.prompt) for slot in found] == [
        (0, "alpha", "blue", 2, 200), (SLOT_US, "alpha", "blue", 1, 100),
    ]  # fmt: skip
    names = following.ids(opening(), ["ada", "nobody"])
    assert [names[slot.user_id or ""] for slot in found] == ["ada", "ada"]
    unnamed = following.slots(opening(), SLOT_US, NOON_US - 2 * HOUR_US)
    assert [slot.project for slot in unnamed].count(None) == 1


def test_records_of_one_kind_by_their_own_index(opening: Opening) -> None:
    filled(opening)
    (found,) = following.records(opening(), "decision")
    assert (found.project, found.outcome) == ("alpha", "stop")
    assert following.records(opening(), "value") == []


def test_nobody_is_looked_up_where_nobody_is_named(opening: Opening) -> None:
    assert following.ids(opening(), []) == {}


def test_accounts_follow_either_database(opening: Opening) -> None:
    """From its sums, then entry by entry: the same figures as one that began later."""
    writer = filled(opening)
    rules = [rule(period="month"), rule(name="bob", scope="user", who="bob", period="total")]
    first = Accounts(opening, rules, UTC)
    first.follow(NOON_US)
    more: list[UsageEvent | Record] = [event(20, at_us=NOON_US, user="bob"), event(21, team=None)]
    first.book(writer.append(more[:1], NOON_US).entries)
    writer.append(more[1:], NOON_US)
    second = Accounts(opening, rules, UTC)
    for each in (first, second):
        each.follow(NOON_US + SLOT_US)
    assert first.figures(NOON_US + SLOT_US) == second.figures(NOON_US + SLOT_US)
    assert [(one.spent, one.state) for one in first.figures(NOON_US).budgets] == [
        (750, "stopped"), (300, "ok"),
    ]  # fmt: skip
