"""Several projects that exceed together what each of them may spend alone."""

from tests.domain.detector.stream import entry
from tests.domain.ledger.examples import NOON_US
from tokentop.domain.detector.concentration import MACHINE, Concentration, Spending
from tokentop.domain.snapshot_ledger import Budget

HOUR_S = 3600


def spending(**spent: int) -> Spending:
    """What team blue's projects have spent in the last minute, in credits."""
    found = Spending()
    found.book(
        entry(number, amount * 1000, project=name, team="blue")
        for number, (name, amount) in enumerate(spent.items())
    )
    return found


def budget(scope: str, who: str, left: float) -> Budget:
    return Budget(who, scope, who, "day", "credits", 100, 50, left_at_end=left)  # type: ignore[arg-type]


def test_together_beyond_the_machine() -> None:
    """200 credits an hour, of which no project spends more than 90."""
    (flag,) = Concentration().check(spending(a=90, b=80, c=50), (), 200.0, NOON_US)
    assert (flag.projects, flag.cost, flag.task.group.project) == (
        ("a", "b", "c"),
        220_000,
        MACHINE,
    )
    assert Concentration().check(spending(a=90, b=80, c=30), (), 200.0, NOON_US) == ()
    assert Concentration().check(spending(a=90, b=80, c=50), (), None, NOON_US) == ()


def test_together_beyond_their_team() -> None:
    """The team's budget will not last, and each project's own does."""
    rows = (budget("team", "blue", -1.0), budget("project", "a", 5.0), budget("project", "b", 5.0))
    (flag,) = Concentration().check(spending(a=9, b=8), rows, None, NOON_US)
    assert (flag.projects, flag.task.group.project) == (("a", "b"), "team blue")


def test_one_project_that_explains_it_alone_is_no_concentration() -> None:
    over = (budget("team", "blue", -1.0), budget("project", "a", -1.0))
    assert Concentration().check(spending(a=9, b=8), over, None, NOON_US) == ()
    assert Concentration().check(spending(a=90, b=2), (), 50.0, NOON_US) == ()
    assert Concentration().check(Spending(), over[:1], None, NOON_US) == ()


def test_it_is_raised_once_until_it_has_ended() -> None:
    """Exceeded for three hours: one flag. Quiet for more than an hour and again: another."""
    watch, found = Concentration(), []
    for minute in [*range(180), *range(300, 310)]:
        now_us = NOON_US + minute * 60_000_000
        rows = spending()
        rows.book(entry(0, 90_000, minute * 60, project=name) for name in ("a", "b", "c"))
        found += [minute for _ in watch.check(rows, (), 200.0, now_us)]
    assert found == [0, 300]


def test_only_the_last_hour_counts() -> None:
    rows = spending(a=90)
    rows.book([entry(1, 5000, HOUR_S - 60, project="b")])
    assert rows.last_hour(NOON_US + (HOUR_S - 60) * 1_000_000) == {"a": 90_000, "b": 5000}
    assert rows.last_hour(NOON_US + HOUR_S * 1_000_000) == {"b": 5000}
    rows.book([entry(2, 7000, 3 * HOUR_S, project="c")])
    assert rows.last_hour(NOON_US + 3 * HOUR_S * 1_000_000) == {"c": 7000}
