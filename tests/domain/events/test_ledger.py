"""Flags in the event log: each once as it is raised, and once as a person decides."""

from tests.domain.events.test_changes import codes
from tokentop.domain.events.changes import changes
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import Flag, LedgerFigures

TASK = Flag("a1", "task", "2026-11-21T12:00:00Z", ("alpha",), "own", "ticket 7", 42.0, 10.0)
TOGETHER = Flag("b2", "concentration", TASK.at, ("alpha", "beta", "gamma"), task="team blue")
REVIEW = Flag("c3", "review", TASK.at, ("alpha",), task="budget review: no value was reported")


def box(*flags: Flag, age_s: float | None = 1.0) -> Snapshot:
    return Snapshot(ledger=LedgerFigures(flags=flags, age_s=age_s))


def texts(before: Snapshot, after: Snapshot) -> list[str]:
    return [event.text for event in changes(before, after)]


def test_a_flag_is_said_with_its_cost() -> None:
    assert texts(box(), box(TASK)) == [
        "flagged: task ticket 7 of alpha cost 4.2x what is expected, 42 credits"
    ]
    assert texts(box(), box(TASK._replace(precedent="halt")))[0].endswith("; as before: halt")


def test_projects_together_and_reviews_are_named() -> None:
    assert texts(box(), box(TOGETHER, REVIEW)) == [
        "flagged: alpha, beta and gamma together exceed what team blue may spend",
        "alpha: budget review: no value was reported",
    ]


def test_each_is_one_event_however_long_it_stands() -> None:
    """Raised, growing, classified, and gone from the list for newer ones."""
    decided = TASK._replace(classified="defer", escalated=False)
    run = (box(), box(TASK), box(TASK._replace(cost=50.0)), box(decided), box(decided), box())
    assert codes(*run) == ["flagged", "flag_classified"]


def test_what_stood_in_the_ledger_at_the_start_is_no_event() -> None:
    """No ledger yet, or one that was not read yet."""
    assert codes(Snapshot(), box(TASK)) == []
    assert codes(box(age_s=None), box(TASK)) == []
    assert codes(box(), Snapshot(), box(TASK)) == []
    assert codes(box(), box(TASK._replace(classified="fine"))) == []
