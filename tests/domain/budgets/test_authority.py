"""Authorization: stops, spent budgets, throttles, each with its sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.budgets.examples import MINUTE_US, book, entry, rule
from tests.domain.ledger.examples import NOON_US
from tokentop.domain.budgets.authority import Asker, Refusal, Throttle
from tokentop.domain.ledger.event import DAY_US

ALPHA = Asker("ada", "alpha", "blue")


def test_a_spent_budget_refuses_until_its_period_ends() -> None:
    kept = book(rule(limit=150, stop=True))
    assert kept.refusal(ALPHA, NOON_US) is None
    kept.book(entry())
    assert kept.refusal(ALPHA, NOON_US + MINUTE_US) == Refusal(
        "spent",
        "the budget daily of project alpha is spent: 150 tokens of 150 tokens; "
        "it begins again at 2026-11-22T00:00:00Z",
        "daily",
        12 * 3600 - 60,
    )
    assert kept.refusal(Asker("ada", "beta", "red"), NOON_US) is None
    assert kept.refusal(Asker(), NOON_US) is None
    assert kept.refusal(ALPHA, NOON_US + DAY_US) is None


def test_a_budget_without_stop_refuses_nothing() -> None:
    kept = book(rule(limit=0))
    kept.book(entry())
    assert kept.refusal(ALPHA, NOON_US) is None


@pytest.mark.parametrize(("scope", "who"), [("user", "ada"), ("team", "blue")])
def test_any_of_the_payers_refuses(scope: str, who: str) -> None:
    kept = book(rule(), rule(name="own", scope=scope, who=who, unit="usd", limit=5, stop=True,
                             reserve=0.0))  # fmt: skip
    kept.book(entry(micro_usd=5_250_000))
    found = kept.refusal(ALPHA, NOON_US)
    assert found is not None
    assert found.budget == "own"
    assert "is spent: $5.25 of $5.00; it begins again" in found.text


def test_a_total_that_is_spent_does_not_begin_again() -> None:
    kept = book(rule(period="total", limit=100, stop=True))
    kept.book(entry())
    found = kept.refusal(ALPHA, NOON_US)
    assert found == Refusal(
        "spent", "the budget daily of project alpha is spent: 150 tokens of 100 tokens", "daily"
    )


def test_the_reserve_and_the_rest_are_refused_apart() -> None:
    """A team's lab goes on when the rest is spent, and the rest when the reserve is."""
    team = rule(scope="team", who="blue", stop=True, reserve_projects=("lab",))
    kept = book(team)
    lab = Asker("ada", "lab", "blue")
    kept.book(entry(1, project="lab", prompt=100, generated=0))
    assert kept.refusal(ALPHA, NOON_US) is None
    found = kept.refusal(lab, NOON_US)
    assert found is not None
    assert found.text.startswith("the innovation reserve daily of team blue is spent: 100 tokens")
    kept = book(team)
    kept.book(entry(1, prompt=900, generated=0))
    assert kept.refusal(ALPHA, NOON_US) is not None
    assert kept.refusal(lab, NOON_US) is None


def test_a_persons_stop_comes_before_any_budget() -> None:
    kept = book(rule(limit=0, stop=True))
    kept.decide("alpha", "stop", NOON_US)
    found = kept.refusal(ALPHA, NOON_US)
    assert found == Refusal("stopped", "project alpha was stopped at 2026-11-21T12:00:00Z")


def test_a_throttle_lets_so_many_through_past_the_warning() -> None:
    kept = book(rule(throttle=2))
    for _ in range(5):
        assert kept.refusal(ALPHA, NOON_US) is None
    kept.book(entry(prompt=800))
    later = NOON_US + 5 * MINUTE_US
    assert [kept.refusal(ALPHA, later) is None for _ in range(4)] == [True, True, False, False]
    found = kept.refusal(ALPHA, later)
    assert found == Refusal(
        "throttled",
        "the budget daily of project alpha is nearly spent: 2 requests a minute go through, "
        "the next in 30 s",
        "daily",
        30,
    )
    assert kept.refusal(ALPHA, later + MINUTE_US // 2) is None


def test_what_went_before_the_warning_is_not_held_against_it() -> None:
    """However many requests there were: the throttle counts from the threshold on."""
    kept = book(rule(throttle=2))
    for _ in range(1000):
        assert kept.refusal(ALPHA, NOON_US) is None
    kept.book(entry(prompt=800))
    assert kept.refusal(ALPHA, NOON_US) is None


def test_a_reserve_has_a_throttle_of_its_own() -> None:
    team = rule(scope="team", who="blue", throttle=1, reserve_projects=("lab",))
    kept = book(team)
    kept.book(entry(prompt=800, generated=0))
    assert [kept.refusal(ALPHA, NOON_US) is None for _ in range(2)] == [True, False]
    assert [kept.refusal(Asker(None, "lab", "blue"), NOON_US) is None for _ in range(2)] == [
        True
    ] * 2


@given(st.integers(1, 60), st.lists(st.integers(0, 5_000_000), max_size=200))
def test_a_throttle_never_lets_more_through_than_two_minutes_worth(
    per_minute: int, gaps: list[int]
) -> None:
    """In any minute: those that a quiet minute saved up, and the minute's own."""
    throttle, now_us = Throttle(per_minute), NOON_US
    passed: list[int] = []
    for gap in gaps:
        now_us += gap
        if not throttle.wait_us(now_us):
            throttle.take(now_us)
            passed.append(now_us)
        assert sum(at > now_us - MINUTE_US for at in passed) <= 2 * per_minute
