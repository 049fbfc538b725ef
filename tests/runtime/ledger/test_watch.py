"""Flags, velocities and replenishment on a real ledger, through the accounts that follow it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, time_ns
from zoneinfo import ZoneInfo

import pytest

from tests.domain.budgets.examples import rule
from tests.domain.detector.stream import entry
from tests.domain.ledger.examples import NOON_US, event
from tokentop.config.schema import Config, LedgerConfig
from tokentop.domain.detector import records
from tokentop.domain.detector.flags import Raised
from tokentop.domain.economy.valuation import Value
from tokentop.domain.ledger.event import DAY_US, UsageEvent
from tokentop.domain.ledger.record import Record
from tokentop.domain.policy import BudgetRule, DetectorPolicy, Policy, ReplenishmentPolicy
from tokentop.domain.replenishment.records import swap, value
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.runtime.ledger.accounts import Accounts
from tokentop.runtime.ledger.follower import Follower
from tokentop.runtime.ledger.verify import verify
from tokentop.runtime.ledger.watch import Watch
from tokentop.transport.ledger import following
from tokentop.transport.ledger.database import Database, connect
from tokentop.transport.ledger.writer import Writer

CREDITS = rule(name="alphas", scope="project", who="alpha", unit="credits", period="month",
               limit=1000.0)  # fmt: skip
TEAM = rule(name="blues", scope="team", who="blue", unit="credits", period="month", limit=2000.0,
            reserve=0.1)  # fmt: skip


class Serving:
    """A ledger as `tokentop serve` keeps it: what is booked reaches its accounts at once."""

    def __init__(self, path: str, policy: Policy, rules: Sequence[BudgetRule] = ()) -> None:
        self.path = path
        self.db: Database = connect(path, create=True)
        self.watch = Watch(policy, books=True)
        self.accounts = Accounts(lambda: connect(path), rules, ZoneInfo("UTC"), [self.watch])
        self.accounts.follow(NOON_US)

    def book(self, *given: UsageEvent | Record, now_us: int = NOON_US) -> None:
        """Each event costs a credit for each prompt token."""
        writer = Writer(self.db, "a", lambda each: Value((each.prompt or 0) * 1000, None))
        self.accounts.book(writer.append(given, now_us).entries)
        self.accounts.follow(now_us)
        due = self.watch.due(self.accounts.figures(now_us), now_us)
        self.accounts.book(writer.append(due, now_us).entries)

    def figures(self, now_us: int = NOON_US) -> LedgerFigures:
        self.book(now_us=now_us)
        return self.accounts.figures(now_us)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite3")


def requests(first: int, count: int, cost: int, **values: object) -> Iterator[UsageEvent]:
    """Requests at noon that cost so many credits each."""
    usual = {"prompt": cost, "cached": 0, "at_us": NOON_US, "model": "own"} | values
    return (event(number, **usual) for number in range(first, first + count))


def test_a_runaway_is_a_flag_in_the_ledger_and_in_the_figures(path: str) -> None:
    serving = Serving(path, Policy())
    serving.book(*requests(0, 10, 10))
    serving.book(*requests(20, 40, 1, session="runaway"))
    assert serving.figures().flags == ()  # conversations have no past yet
    serving.book(*requests(100, 1, 42))
    (flag,) = serving.figures().flags
    assert (flag.cost, flag.expected, flag.projects) == (42.0, 10.0, ("alpha",))
    assert serving.figures().to_classify == 20
    (booked,) = following.records(serving.db, "flag")
    assert (booked.identity, booked.milli_credits) == (f"flag:{flag.id}", 42_000)
    assert verify(serving.db).faults == ()


def test_a_verdict_reaches_every_process_and_outlives_them(path: str) -> None:
    """One that only looks, and one that begins anew."""
    serving = Serving(path, Policy())
    serving.book(*requests(0, 10, 10), *requests(100, 1, 42))
    found = records.read(following.records(serving.db, "flag")[0])
    assert isinstance(found, Raised)
    looking = Watch(Policy())
    screen = Accounts(lambda: connect(path), (), ZoneInfo("UTC"), [looking])
    screen.follow(NOON_US)
    serving.book(records.classified(found, "defer", NOON_US))
    screen.follow(NOON_US)
    for figures in (serving.figures(), screen.figures(NOON_US),
                    Serving(path, Policy()).figures()):  # fmt: skip
        (flag,) = figures.flags
        assert (flag.classified, flag.escalated, figures.to_classify) == ("defer", False, 19)
    assert len(following.records(serving.db, "flag")) == 2


def test_who_only_looks_raises_nothing(path: str) -> None:
    """Else there would be flags that no one can classify."""
    serving = Serving(path, Policy())
    serving.watch.books = False
    serving.book(*requests(0, 10, 10), *requests(100, 1, 42))
    assert serving.figures().flags == ()


def test_a_new_process_knows_what_tasks_cost(path: str) -> None:
    """It learns from the ledger, flags nothing of the past, and what comes at once."""
    Serving(path, Policy()).book(*requests(0, 10, 10))
    again = Serving(path, Policy())
    assert again.figures().flags == ()
    again.book(*requests(100, 1, 42))
    assert len(again.figures().flags) == 1


def test_what_could_not_be_booked_is_kept(path: str) -> None:
    serving = Serving(path, Policy())
    serving.book(*requests(0, 10, 10))
    serving.watch.book([entry(1, 42_000, model="own")])
    found = serving.watch.due(LedgerFigures(), NOON_US)
    assert [each.kind for each in found] == ["flag"]
    assert serving.watch.due(LedgerFigures(), NOON_US) == []
    serving.watch.keep(found)
    serving.book()
    assert len(following.records(serving.db, "flag")) == 1


def test_a_tuned_threshold_is_refused_in_a_sentence(path: str) -> None:
    serving = Serving(path, Policy(detector=DetectorPolicy(threshold=50.0)))
    serving.book(*requests(0, 10, 10), *requests(100, 1, 42))
    assert len(serving.figures().flags) == 1
    assert "detector.threshold = 50 is ignored, 3 holds: 20 more" in (serving.figures().note or "")
    serving.watch.configure(Policy())
    assert serving.figures().note is None


def test_velocity_is_value_by_credits_of_the_window(path: str) -> None:
    """Also in a process that begins after both were booked."""
    serving = Serving(path, Policy())
    serving.book(*requests(0, 10, 10), *requests(10, 1, 5, project="beta"))
    serving.book(value("1", "alpha", 9_000_000, NOON_US), value("2", "alpha", -1_000_000, NOON_US))
    for figures in (serving.figures(), Serving(path, Policy()).figures()):
        found = {each.name: each.velocity for each in figures.projects}
        assert found == {"alpha": pytest.approx(0.08), "beta": None}


def test_a_swap_moves_what_may_be_spent(path: str) -> None:
    beta = CREDITS._replace(name="betas", who="beta")
    serving = Serving(path, Policy(), [CREDITS, beta])
    serving.book(*swap("1", "alpha", "beta", 300_000, NOON_US))
    for figures in (serving.figures(), Serving(path, Policy(), [CREDITS, beta]).figures()):
        assert [each.limit for each in figures.budgets] == [700.0, 1300.0]


RULES = Policy(replenishment=ReplenishmentPolicy(above=0.1, below=0.05))


def test_a_fast_project_is_replenished_once_and_within_its_teams_budget(path: str) -> None:
    """850 of 1,000 spent at a velocity of 0.2; the team has 1,800 beside its reserve of 200."""
    serving = Serving(path, RULES, [CREDITS, TEAM])
    serving.book(*requests(0, 85, 10, team="blue"), value("1", "alpha", 170_000_000, NOON_US))
    for _ in range(3):
        alpha, _team = serving.figures().budgets
    assert alpha.limit == 1250.0
    moved = following.records(serving.db, "transfer")
    assert sum(each.milli_credits or 0 for each in moved) == 0
    again = Serving(path, RULES, [CREDITS, TEAM])
    assert [again.figures().budgets[0].limit for _ in range(2)] == [1250.0, 1250.0]
    again.book(*requests(200, 75, 10, team="blue"))
    again.book(*requests(300, 10, 10, team="blue"))
    for _ in range(3):
        alpha, team = again.figures().budgets
    assert (team.spent, team.limit, alpha.limit) == (1700.0, 1800.0, 1800.0)


def test_a_project_of_the_innovation_reserve_is_left_alone(path: str) -> None:
    """Whatever its velocity: what it spends is the reserve."""
    team = TEAM._replace(reserve_projects=("alpha",))
    serving = Serving(path, RULES, [CREDITS, team])
    serving.watch.configure(RULES, [CREDITS, team])
    serving.book(*requests(0, 85, 10, team="blue"), value("1", "alpha", 170_000_000, NOON_US))
    assert serving.figures().budgets[0].limit == 1000.0
    assert serving.figures().flags == ()
    assert following.records(serving.db, "transfer") == []


def test_a_follower_that_books_does_so_with_its_next_look(path: str) -> None:
    """The flag of a task is an entry within a look, and one that only follows adds none."""
    now_us = time_ns() // 1000  # a follower's clock is this machine's, and flags are of a day
    serving = Serving(path, Policy())
    serving.book(*requests(0, 10, 10, at_us=now_us), now_us=now_us)
    config = Config(ledger=LedgerConfig(path=path, writer="b"))
    booking, looking = Follower(lambda: config, {}), Follower(lambda: config, {})
    booking.watch.books = True
    for each in (booking, looking):
        each.start()
        each.wait(10)
    Writer(serving.db, "a", lambda _: Value(42_000, None)).append(
        requests(100, 1, 42, at_us=now_us), now_us
    )
    deadline = monotonic() + 10
    while not (found := following.records(serving.db, "flag")) and monotonic() < deadline:
        booking.look()
        looking.look()
        booking.wait(0.01)
    for each in (booking, looking):
        each.stop()
    assert [(each.writer, each.outcome) for each in found] == [("b", "raised")]


def test_a_slow_project_is_reviewed_and_gets_nothing(path: str) -> None:
    serving = Serving(path, RULES, [CREDITS])
    serving.book(*requests(0, 85, 10), value("1", "alpha", 17_000_000, NOON_US))
    for _ in range(3):
        figures = serving.figures()
    (flag,) = figures.flags
    assert (flag.kind, flag.projects, flag.cost, flag.expected) == (
        "review", ("alpha",), 850.0, 1000.0,
    )  # fmt: skip
    assert "its velocity of 0.02 USD a credit is below 0.05" in (flag.task or "")
    assert following.records(serving.db, "transfer") == []
    assert figures.to_classify == 20


def test_several_projects_beyond_the_machine_are_one_flag(path: str) -> None:
    policy = Policy(detector=DetectorPolicy(machine_credits_per_hour=100.0))
    serving = Serving(path, policy)
    for number, project in enumerate(("alpha", "beta", "gamma")):
        serving.book(*requests(10 * number, 5, 8, project=project))
    for _ in range(2):
        flags = serving.figures().flags
    (flag,) = flags
    assert (flag.kind, flag.task, flag.cost, flag.expected) == (
        "concentration", "the machine", 120.0, None,
    )  # fmt: skip
    assert set(flag.projects) == {"alpha", "beta", "gamma"}
    later = serving.figures(NOON_US + DAY_US)
    assert len(later.flags) == 1
