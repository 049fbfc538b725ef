"""What the detector learns from and what the audit sums, on both databases."""

from tests.domain.ledger.examples import NOON_US, NOW_US, event
from tests.transport.ledger.conftest import Opening
from tests.transport.ledger.test_ledger import valued
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.replenishment.audit import Month
from tokentop.domain.replenishment.records import value
from tokentop.transport.ledger import following, tasks
from tokentop.transport.ledger.writer import Writer


def test_months_have_tasks_credits_and_value(opening: Opening) -> None:
    """A conversation is one task; what was before, after, or no one's is in none of them.

    A request of 100 prompt and 50 generated tokens is 25 milli-credits by the published table.
    """
    db = opening()
    Writer(db, "a", valued).append(
        [
            *(event(number, session="one") for number in range(4)),
            event(10), event(11), event(12, project="beta"), event(13, project=None),
            event(14, model="own", micro_usd=None, project="gamma"),
            event(20, at_us=NOON_US - DAY_US),
            value("1", "alpha", 5_000_000, NOON_US), value("2", "alpha", -1_000_000, NOON_US),
            value("3", "delta", 7_000_000, NOON_US), value("4", "alpha", 9, NOON_US - DAY_US),
        ],
        NOW_US,
    )  # fmt: skip
    assert tasks.months(db, NOON_US, NOW_US) == {
        "alpha": Month(3, 150, 4_000_000),
        "beta": Month(1, 25, 0),
        "gamma": Month(1, 0, 0),
        "delta": Month(0, 0, 7_000_000),
    }
    assert tasks.value(db, NOON_US, NOW_US) == {"alpha": 4_000_000, "delta": 7_000_000}
    assert [each.identity for each in following.records(db, "value")] == [
        "value:4", "value:1", "value:2", "value:3",
    ]  # fmt: skip


def test_the_latest_usage_comes_oldest_first(opening: Opening) -> None:
    db = opening()
    given = [*(event(number) for number in (3, 1, 2)), value("1", "alpha", 5, NOW_US)]
    Writer(db, "a", valued).append(given, NOW_US)
    assert [each.identity for each in tasks.latest(db, 2, NOW_US)] == ["test:2", "test:3"]
    assert tasks.latest(db, 2, NOON_US) == []
