"""Token velocity over a window, the rules that follow it, and the audit of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.detector.stream import entry
from tests.domain.ledger.examples import NOON_US
from tokentop.domain.ledger.entry import Entry, Link, reversal
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.policy import ReplenishmentPolicy
from tokentop.domain.replenishment.audit import Month, suspects
from tokentop.domain.replenishment.rules import decide
from tokentop.domain.replenishment.velocity import MOST_DAYS, Velocities
from tokentop.domain.snapshot_ledger import Budget

DAY_S = 86_400.0
RULES = ReplenishmentPolicy(above=0.1, below=0.02)


def spent(credits_: int, day: int = 0) -> Entry:
    return entry(day, credits_ * 1000, day * DAY_S)


def worth(usd: int, day: int = 0) -> Entry:
    return entry(day, None, day * DAY_S, kind="value", micro_usd=usd * 1_000_000)


def test_velocity_is_usd_per_credit() -> None:
    """120 USD for 1,000 credits."""
    found = Velocities()
    for each in (spent(400), spent(600, 1), worth(100), worth(20, 1)):
        found.book(each)
    assert found.of("alpha", NOON_US + DAY_US, 30) == pytest.approx(0.12)


def test_what_is_unknown_is_no_velocity() -> None:
    """Neither value alone, nor credits alone, nor requests without a price."""
    for entries in ([worth(5)], [spent(5)], [worth(5), entry(1, None)], []):
        found = Velocities()
        for each in entries:
            found.book(each)
        assert found.of("alpha", NOON_US, 30) is None


def test_the_window_forgets() -> None:
    found = Velocities()
    for each in (spent(100), worth(100), spent(100, 8), worth(10, 8)):
        found.book(each)
    assert found.of("alpha", NOON_US + 8 * DAY_US, 7) == pytest.approx(0.1)


def test_a_reversal_takes_its_credits_away() -> None:
    found, request = Velocities(), entry(1, 100_000)
    for each in (request, reversal(request, link=Link("a", 2, 0)), spent(50), worth(5)):
        found.book(each)
    assert found.of("alpha", NOON_US, 30) == pytest.approx(0.1)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 4000)), max_size=300))
def test_memory_is_bounded(rows: list[tuple[int, int]]) -> None:
    """Whatever the order of the days and however many the projects."""
    found = Velocities()
    for project, day in rows:
        found.add(f"p{project}", day, 1, 1)
    assert len(found._projects) <= 2000
    assert all(len(days) <= MOST_DAYS + 1 for days in found._projects.values())


def budget(spent_: float, scope: str = "project", **values: object) -> Budget:
    usual = {"period": "month", "unit": "credits", "limit": 1000.0, "spent": spent_}
    return Budget("b", scope, "alpha", **{**usual, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "velocity", "team", "action", "credits_"),
    [
        (budget(700), 0.5, None, None, 0),  # it does not run out
        (budget(850), 0.5, None, "replenish", 250),
        # of what the team has left, 150 are the project's already
        (budget(850), 0.1, budget(9800, "team", limit=10_000.0), "replenish", 50),
        (budget(850), 0.1, budget(9900, "team", limit=10_000.0), None, 0),
        (budget(850), 0.5, budget(10_000, "team", limit=10_000.0), "review", 0),
        (budget(850), 0.5, budget(9.9, "team", limit=10.0, unit="usd"), "replenish", 250),
        (budget(850), 0.5, budget(10.1, "team", limit=10.0, unit="usd"), "review", 0),
        (budget(850), 0.05, None, None, 0),  # between the two
        (budget(850), 0.01, None, "review", 0),
        (budget(850), None, None, "review", 0),
        (budget(850, unit="tokens"), 0.5, None, None, 0),
        (budget(850, scope="team"), 0.5, None, None, 0),
        (budget(850, state="stopped"), 0.5, None, None, 0),  # a person or the limit has ended it
    ],
)  # fmt: skip
def test_the_rules(
    row: Budget, velocity: float | None, team: Budget | None, action: str | None, credits_: int
) -> None:
    found = decide(row, velocity, team, RULES)
    assert (found and found.action) == action
    assert (found.milli_credits if found else 0) == credits_ * 1000


@given(
    st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.one_of(st.none(), st.floats(0, 10))
)
def test_the_innovation_reserve_is_never_touched(
    spent_: float, limit: float, team_spent: float, velocity: float | None
) -> None:
    """The team's limit is without its reserve: nothing is added beyond what is left of it."""
    team = budget(team_spent, "team", limit=limit, reserve=limit / 10, reserve_spent=0.0)
    found = decide(budget(spent_), velocity, team, RULES)
    if found is not None and found.action == "replenish":
        spare = max(0.0, 1000.0 - spent_)
        assert 0 < found.milli_credits <= (limit - team_spent - spare) * 1000


def test_without_rules_nothing_is_decided() -> None:
    assert decide(budget(999), 9.0, None, ReplenishmentPolicy()) is None
    assert decide(budget(999), None, None, ReplenishmentPolicy()) is None


def test_the_audit_lists_who_gained_by_smaller_tasks() -> None:
    """Velocity up and credits a task down; one of the two alone is no suspicion."""
    before = dict.fromkeys("abcd", Month(100, 100_000, 10_000_000))
    after = {
        "a": Month(900, 90_000, 12_000_000),
        "b": Month(90, 90_000, 12_000_000),
        "c": Month(900, 90_000, 5_000_000),
        "d": Month(0, 0, 5_000_000),
        "e": Month(900, 90_000, 12_000_000),
    }
    assert [each.project for each in suspects(before, after)] == ["a"]
