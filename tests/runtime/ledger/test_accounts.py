"""Budgets follow a real ledger: from its sums, entry by entry, through stops and failures."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.domain.budgets.examples import rule
from tests.domain.ledger.examples import HOUR_US, NOON_US, event
from tokentop.domain.budgets.authority import Asker
from tokentop.domain.budgets.decision import Outcome, decision
from tokentop.domain.economy.valuation import Value
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US, UsageEvent
from tokentop.domain.policy import BudgetRule
from tokentop.domain.snapshot_ledger import Budget, LedgerFigures
from tokentop.runtime.ledger.accounts import Accounts
from tokentop.transport.ledger.database import Database, connect
from tokentop.transport.ledger.writer import Writer

BERLIN = ZoneInfo("Europe/Berlin")
DAILY, MONTHLY = rule(), rule(name="monthly", period="month", unit="credits")
TOTAL = rule(name="all", period="total", scope="user", who="ada")


class Ledger:
    """A file, writers into it, and accounts that follow it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path / "ledger.sqlite3")
        self.db = connect(self.path, create=True)

    def append(
        self, *events: UsageEvent, writer: str = "a", now_us: int = NOON_US
    ) -> tuple[Entry, ...]:
        return Writer(self.db, writer, lambda _: Value(2000, None)).append(events, now_us).entries

    def decide(self, project: str, outcome: Outcome, at_us: int) -> tuple[Entry, ...]:
        made = decision(project, outcome, user="grace", identity=f"d:{at_us}", at_us=at_us)
        return Writer(self.db, "a", lambda _: Value(0, None)).append([made], at_us).entries

    def accounts(self, *rules: BudgetRule, zone: ZoneInfo = BERLIN) -> Accounts:
        return Accounts(self.open, rules, zone)

    def open(self) -> Database:
        return connect(self.path)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def spent(accounts: Accounts, now_us: int = NOON_US) -> list[float]:
    return [each.spent for each in accounts.figures(now_us).budgets]


def test_they_begin_with_what_the_ledger_holds(ledger: Ledger) -> None:
    """Berlin's day began at 23:00 UTC: an entry before is the month's, and one before that the
    user's total only. The burn is that of the last hour."""
    ledger.append(event(1), event(2, at_us=NOON_US - 13 * HOUR_US - 1),
                  event(3, at_us=NOON_US - 30 * DAY_US), event(4, user="bob"))  # fmt: skip
    accounts = ledger.accounts(DAILY, MONTHLY, TOTAL)
    accounts.follow(NOON_US)
    assert spent(accounts) == [300, 6, 450]
    found = accounts.figures(NOON_US + 4_000_000)
    assert found.budgets[0].burn_per_hour == pytest.approx(300 * 12, rel=0.04)
    assert (found.entries, found.age_s, found.today_requests) == (4, 4.0, 2)


def test_they_follow_what_is_booked_by_anyone(ledger: Ledger) -> None:
    accounts = ledger.accounts(DAILY)
    accounts.follow(NOON_US)
    ledger.append(event(1))
    ledger.append(event(2), writer="b")
    assert spent(accounts) == [0]
    accounts.follow(NOON_US)
    accounts.follow(NOON_US)
    assert spent(accounts) == [300]


def test_what_is_handed_over_counts_at_once_and_once(ledger: Ledger) -> None:
    accounts = ledger.accounts(DAILY)
    accounts.follow(NOON_US)
    booked = ledger.append(event(1), event(2))
    accounts.book(booked)
    accounts.book(booked)
    assert spent(accounts) == [300]
    accounts.follow(NOON_US)
    assert spent(accounts) == [300]


def test_after_a_gap_what_is_handed_over_waits_for_the_reader(ledger: Ledger) -> None:
    """Another process appended to the same chain in between."""
    accounts = ledger.accounts(DAILY)
    accounts.follow(NOON_US)
    ledger.append(event(1))
    accounts.book(ledger.append(event(2)))
    assert spent(accounts) == [0]
    accounts.follow(NOON_US)
    assert spent(accounts) == [300]
    accounts.book(ledger.append(event(3)))
    assert spent(accounts) == [450]


def test_a_user_who_is_new_to_the_ledger_is_known_by_name(ledger: Ledger) -> None:
    accounts = ledger.accounts(TOTAL)
    accounts.follow(NOON_US)
    accounts.book(ledger.append(event(1), event(2, user="bob")))
    accounts.follow(NOON_US)
    assert spent(accounts) == [150]
    accounts.book(ledger.append(event(3), event(4, user="bob")))
    assert spent(accounts) == [300]


def test_users_without_a_budget_do_not_wait_for_one_who_never_comes(ledger: Ledger) -> None:
    """Ada has a budget and has not been seen: what bob's project spends counts at once."""
    accounts = ledger.accounts(TOTAL, DAILY)
    ledger.append(event(1, user="bob"))
    accounts.follow(NOON_US)
    accounts.book(ledger.append(event(2, user="bob")))
    accounts.book(ledger.append(event(3, user="eve")))
    assert spent(accounts) == [0, 300]
    accounts.follow(NOON_US)
    accounts.book(ledger.append(event(4, user="eve")))
    assert spent(accounts) == [0, 600]


def test_other_budgets_take_effect_with_their_sums(ledger: Ledger) -> None:
    ledger.append(event(1))
    accounts = ledger.accounts(DAILY)
    accounts.follow(NOON_US)
    accounts.configure([DAILY, rule(name="other", limit=100)], BERLIN)
    accounts.follow(NOON_US)
    assert [(each.name, each.state) for each in accounts.figures(NOON_US).budgets] == [
        ("daily", "ok"), ("other", "spent"),
    ]  # fmt: skip


def test_a_fast_clock_is_booked_on_its_own_day(ledger: Ledger) -> None:
    ledger.append(event(1, at_us=NOON_US + 20 * HOUR_US))
    accounts = ledger.accounts(DAILY)
    accounts.follow(NOON_US)
    assert (spent(accounts), spent(accounts, NOON_US + 20 * HOUR_US)) == ([0], [150])


def test_decisions_are_followed_and_found_again(ledger: Ledger) -> None:
    accounts = ledger.accounts()
    accounts.follow(NOON_US)
    accounts.book(ledger.decide("alpha", "stop", NOON_US))
    for each in (accounts, ledger.accounts()):
        each.follow(NOON_US)
        found = each.refusal(Asker(project="alpha"), NOON_US)
        assert found is not None
        assert found.text == "project alpha was stopped at 2026-11-21T12:00:00Z"
    ledger.decide("alpha", "resume", NOON_US + 1)
    accounts.follow(NOON_US)
    assert accounts.refusal(Asker(project="alpha"), NOON_US) is None


def test_a_ledger_that_goes_away_is_a_note_and_is_found_again(ledger: Ledger) -> None:
    ledger.append(event(1))
    ledger.db.close()
    accounts = ledger.accounts(DAILY)
    accounts.follow(NOON_US)
    Path(ledger.path).rename(f"{ledger.path}.away")
    accounts.close()
    accounts.follow(NOON_US + 1_000_000)
    found = accounts.figures(NOON_US + 1_000_000)
    assert found.note is not None
    assert found.note.startswith("there is no ledger at ")
    assert (found.age_s, found.budgets[0].spent) == (1.0, 150)
    assert not accounts.readable(NOON_US + 1_000_000, 0.5)
    Path(f"{ledger.path}.away").rename(ledger.path)
    accounts.follow(NOON_US + 2_000_000)
    assert accounts.figures(NOON_US + 2_000_000).note is None
    assert accounts.readable(NOON_US + 2_000_000, 0.5)


def test_nothing_is_known_before_the_ledger_was_read(tmp_path: Path) -> None:
    accounts = Accounts(lambda: connect(str(tmp_path / "none")), [DAILY], BERLIN)
    accounts.follow(NOON_US)
    assert accounts.figures(NOON_US).age_s is None
    assert not accounts.readable(NOON_US, 3600)


class Counting:
    """A part with figures of its own."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def load(self, db: Database, now_us: int) -> None:
        self.seen += [f"{name} so far" for (name,) in db.rows("SELECT identity FROM entries")]

    def book(self, entries: Sequence[Entry]) -> None:
        self.seen += [each.identity for each in entries]

    def figures(self, figures: LedgerFigures, now_us: int) -> LedgerFigures:
        return figures._replace(to_classify=len(self.seen))


def test_a_part_gets_every_entry_once(ledger: Ledger) -> None:
    part = Counting()
    ledger.append(event(1))
    accounts = Accounts(ledger.open, [DAILY], BERLIN, [part])
    accounts.follow(NOON_US)
    accounts.book(ledger.append(event(2)))
    ledger.append(event(3))
    accounts.follow(NOON_US)
    assert part.seen == ["test:1 so far", "test:2", "test:3"]
    assert accounts.figures(NOON_US).to_classify == 3


def test_sums_from_the_start_equal_those_that_were_followed(ledger: Ledger) -> None:
    """Whenever a follower began, it comes to the same figures."""
    rules = (DAILY, MONTHLY, TOTAL, rule(name="team", scope="team", who="blue", period="week",
                                         reserve_projects=("lab",)))  # fmt: skip
    first = ledger.accounts(*rules)
    first.follow(NOON_US)
    for number in range(40):
        project = ("alpha", "lab", "beta")[number % 3]
        user, writer = ("ada", "bob")[number % 2], ("a", "b")[number % 2]
        at_us = NOON_US - number * 3 * HOUR_US
        first.book(ledger.append(event(number, project=project, user=user, at_us=at_us),
                                 writer=writer))  # fmt: skip
        if number % 7 == 0:
            first.follow(NOON_US)
    first.follow(NOON_US)
    second = ledger.accounts(*rules)
    second.follow(NOON_US)
    figures: list[tuple[Budget, ...]] = [each.figures(NOON_US).budgets for each in (first, second)]
    assert figures[0] == figures[1]
    assert first.figures(NOON_US) == second.figures(NOON_US)
