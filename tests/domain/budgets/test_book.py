"""What budgets come to: sums, thresholds, the reserve, lower bounds, the clock."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.budgets.examples import MINUTE_US, UTC, book, budget, entry, rule
from tests.domain.ledger.examples import HOUR_US, NOON_US
from tokentop.domain.budgets.account import Account
from tokentop.domain.budgets.decision import Outcome, decision
from tokentop.domain.ledger.entry import Entry, Link, reversal
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.ledger.record import recorded
from tokentop.domain.policy import BudgetRule

AMOUNTS = st.integers(0, 10**6)
SECONDS = st.integers(-3599, 0)


def test_a_budget_counts_its_own_project_in_its_own_day() -> None:
    """150 tokens each; another project's, yesterday's and tomorrow's are not of it."""
    kept = book(rule())
    for one in (entry(1), entry(2), entry(3, project="beta"), entry(4, at_us=NOON_US - DAY_US),
                entry(5, at_us=NOON_US + DAY_US)):  # fmt: skip
        kept.book(one)
    assert budget(kept, NOON_US + MINUTE_US).spent == 300
    assert budget(kept, NOON_US + DAY_US).spent == 150
    assert budget(kept, NOON_US + 2 * DAY_US).spent == 0


@pytest.mark.parametrize(
    ("scope", "who"), [("user", "ada"), ("project", "alpha"), ("team", "blue")]
)
def test_whose_budget_it_is(scope: str, who: str) -> None:
    kept = book(rule(scope=scope, who=who, reserve=0.0), rule(scope=scope, who="other"))
    kept.book(entry())
    assert [each.spent for each in kept.figures(NOON_US).budgets] == [150, 0]


@pytest.mark.parametrize(
    ("unit", "spent", "unknown"), [("tokens", 150, 0), ("usd", 0.000007, 0), ("credits", 0, 1)]
)
def test_an_unknown_amount_makes_a_lower_bound(unit: str, spent: float, unknown: int) -> None:
    kept = book(rule(unit=unit))
    kept.book(entry())
    found = budget(kept, NOON_US + MINUTE_US)
    assert (found.spent, found.unknown) == (spent, unknown)
    assert (found.burn_per_hour is None) == bool(unknown)


def test_an_estimate_is_marked_until_it_is_reversed() -> None:
    kept = book(rule())
    first = entry(estimated=True)
    kept.book(first)
    assert budget(kept, NOON_US).estimated
    kept.book(reversal(first, link=Link("box", 2, NOON_US)))
    found = budget(kept, NOON_US + MINUTE_US)
    assert (found.spent, found.estimated, found.burn_per_hour) == (0, False, 0)


def test_thresholds_and_states() -> None:
    """1,000 tokens: seven requests of 150 pass every threshold."""
    kept = book(rule())
    seen = []
    for number in range(1, 8):
        kept.book(entry(number))
        found = budget(kept, NOON_US + MINUTE_US)
        seen.append((found.threshold, found.state))
    assert seen == [(None, "ok")] * 3 + [(0.5, "ok")] * 2 + [(0.8, "warning"), (1.0, "spent")]


def test_what_may_stop_and_throttle_says_so() -> None:
    kept = book(rule(stop=True, throttle=6))
    for number in range(1, 7):
        kept.book(entry(number))
    assert budget(kept, NOON_US).state == "throttled"
    kept.book(entry(7))
    assert budget(kept, NOON_US).state == "stopped"


def test_the_innovation_reserve_is_accounted_apart() -> None:
    """A tenth of a team's budget, which only its projects of that kind spend."""
    kept = book(rule(scope="team", who="blue", reserve_projects=("lab",)))
    kept.book(entry(1))
    kept.book(entry(2, project="lab", prompt=70, generated=10))
    found = budget(kept, NOON_US + MINUTE_US)
    assert (found.limit, found.spent, found.reserve, found.reserve_spent) == (900, 150, 100, 80)
    assert found.burn_per_hour == pytest.approx(150 * 12, rel=0.04)


def test_only_a_team_has_a_reserve() -> None:
    found = budget(book(rule(reserve_projects=("alpha",))), NOON_US)
    assert (found.limit, found.reserve, found.reserve_spent) == (1000, None, None)


def test_the_clock_and_what_would_be_left() -> None:
    """600 tokens in the last five minutes are 7,200 an hour: 400 left are 200 s."""
    kept = book(rule(period="month"))
    for number in range(4):
        kept.book(entry(number + 1, at_us=NOON_US - number * MINUTE_US))
    found = budget(kept, NOON_US)
    assert found.burn_per_hour == 7200
    assert found.zero_in_s == 200
    assert found.ends_at == "2026-12-01T00:00:00Z"
    assert found.left_at_end == 400 - 7200 * (9 * 24 + 12)


def test_nothing_burns_and_a_total_has_no_end() -> None:
    quiet = budget(book(rule(period="total")), NOON_US)
    assert (quiet.burn_per_hour, quiet.zero_in_s, quiet.left_at_end, quiet.ends_at) == (
        0, None, None, None,
    )  # fmt: skip


def test_a_quiet_hour_does_not_hide_what_begins_now() -> None:
    """The greater of both means: five minutes where it begins, the hour where it pauses."""
    kept = book(rule())
    for minute in range(60):
        kept.book(entry(minute + 1, at_us=NOON_US + minute * MINUTE_US))
    just_after, pause = NOON_US + 60 * MINUTE_US, NOON_US + 70 * MINUTE_US
    assert budget(kept, just_after).burn_per_hour == 9000
    assert budget(kept, pause).burn_per_hour == 150 * 50


def test_what_is_granted_raises_the_limit_of_one_period() -> None:
    account = Account(rule(), UTC)
    account.grant(NOON_US, 500)
    assert account.budget(NOON_US).limit == 1500
    assert account.budget(NOON_US + DAY_US).limit == 1000


@given(st.lists(st.tuples(SECONDS, AMOUNTS, st.booleans()), max_size=30))
def test_sums_burn_and_clock_agree_with_a_list(requests: list[tuple[int, int, bool]]) -> None:
    """Whatever was booked, late or in order: the same as over the entries themselves."""
    kept = book(rule(limit=10**7))
    for number, (second, amount, estimated) in enumerate(requests):
        at_us = NOON_US + second * 1_000_000
        kept.book(entry(number, at_us=at_us, prompt=amount, generated=0, estimated=estimated))
    found = budget(kept, NOON_US)
    whole = sum(amount for _, amount, _ in requests)
    five = sum(amount for second, amount, _ in requests if second >= -300)
    assert found.spent == whole
    assert found.estimated == any(estimated for _, _, estimated in requests)
    assert found.burn_per_hour == pytest.approx(max(whole, 12 * five))
    if whole >= 10**7:
        assert found.zero_in_s == 0
    elif whole == 0:
        assert found.zero_in_s is None
    else:
        assert found.zero_in_s == pytest.approx((10**7 - whole) / max(whole, 12 * five) * 3600)


@given(st.lists(st.tuples(st.integers(0, 3 * 24 * 60), AMOUNTS), max_size=20))
def test_periods_add_up(requests: list[tuple[int, int]]) -> None:
    """The days' sums are the total's; nothing is counted twice or lost at midnight."""
    kept = book(rule(), rule(period="total"))
    days = [0] * 4
    for number, (minute, amount) in enumerate(sorted(requests)):
        at_us = NOON_US + minute * MINUTE_US
        kept.book(entry(number, at_us=at_us, prompt=amount, generated=0))
        today, total = kept.figures(at_us).budgets
        days[(minute + 720) // 1440] = int(today.spent)
        assert total.spent == sum(days)


@given(st.lists(AMOUNTS, max_size=12), st.lists(st.sampled_from((0.5, 0.8, 1.0)), unique=True))
def test_the_threshold_only_rises_within_a_period(amounts: list[int], marks: list[float]) -> None:
    kept = book(rule(limit=10**6, thresholds=tuple(marks)))
    passed = [0.0]
    for number, amount in enumerate(amounts):
        kept.book(entry(number + 1, prompt=amount, generated=0))
        found = budget(kept, NOON_US + HOUR_US)
        passed.append(found.threshold or 0.0)
        assert all(found.spent >= mark * 10**6 for mark in marks if mark <= passed[-1])
    assert all(one <= other for one, other in pairwise(passed))


def test_projects_and_todays_sums() -> None:
    kept = book()
    kept.book(entry(1, milli_credits=2500))
    kept.book(entry(2, project="beta", prompt=None))
    kept.book(entry(3, project=None))
    kept.book(entry(4, at_us=NOON_US - DAY_US))
    found = kept.figures(NOON_US)
    assert [(each.name, each.requests, each.tokens, each.credits) for each in found.projects] == [
        ("alpha", 1, 150, 2.5),
        ("beta", 1, 50, None),
    ]
    assert (found.today_requests, found.today_tokens, found.today_credits) == (3, 350, 2.5)
    assert found.today_usd == 0.000021


def decided(project: str, outcome: Outcome, at_us: int, writer: str = "box") -> Entry:
    made = decision(project, outcome, user=None, identity=f"d:{at_us}", at_us=at_us)
    return recorded(made, link=Link(writer, 1, at_us), people={})


def test_a_decision_stops_a_project_until_the_next_one() -> None:
    kept = book(rule())
    kept.book(decided("alpha", "stop", NOON_US))
    found = kept.figures(NOON_US)
    assert found.budgets[0].state == "stopped"
    assert [(each.name, each.stopped, each.why) for each in found.projects] == [
        ("alpha", True, "project alpha was stopped at 2026-11-21T12:00:00Z")
    ]
    assert found.today_requests == 0
    kept.book(decided("alpha", "resume", NOON_US + 1))
    assert not kept.figures(NOON_US).projects


def test_of_two_decisions_the_later_holds_in_whatever_order_they_are_read() -> None:
    kept = book()
    kept.book(decided("alpha", "resume", NOON_US + 1, "b"))
    kept.book(decided("alpha", "stop", NOON_US, "a"))
    assert kept.why_stopped("alpha") is None


def test_a_limit_of_nothing_is_spent_from_the_start() -> None:
    found = budget(book(rule(limit=0, stop=True)), NOON_US)
    assert (found.state, found.zero_in_s, found.threshold) == ("stopped", 0, 1.0)


@pytest.mark.parametrize(("marks", "at"), [((0.5, 0.8, 1.0), 0.8), ((), 1.0), ((1.0,), 1.0)])
def test_a_warning_begins_at_the_highest_threshold_below_the_whole(
    marks: tuple[float, ...], at: float
) -> None:
    found: BudgetRule = rule(thresholds=marks)
    assert found.warn_at == at
