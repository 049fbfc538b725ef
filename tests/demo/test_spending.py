"""The requests of the simulated projects: the same whenever they are asked for, in any pieces."""

from itertools import pairwise

from tokentop.demo.spending import BEFORE_S, RUNAWAY_S, events
from tokentop.domain.ledger.event import UsageEvent, problem

BEGAN_US = 1_767_268_800_000_000


def between(since_s: float, until_s: float, seed: int = 0) -> list[UsageEvent]:
    return sorted(events(since_s, until_s, BEGAN_US, seed), key=lambda each: each.identity)


def test_pieces_are_the_whole() -> None:
    """However the time is cut, every request is there once."""
    cuts = (-300.0, -41.0, -40.0, 0.0, 0.5, 7.3, 240.0, 600.0)
    pieces = [e for a, b in pairwise(cuts) for e in between(a, b)]
    assert sorted(pieces, key=lambda each: each.identity) == between(cuts[0], cuts[-1])
    assert len({each.identity for each in pieces}) == len(pieces)


def test_every_request_can_be_booked() -> None:
    """From the first of the history to an hour on, each at its own time."""
    found = between(-BEFORE_S, 3600.0)
    assert [problem(each, BEGAN_US + 3_600_000_000) for each in found] == [None] * len(found)
    times = [(each.at_us - BEGAN_US) / 1e6 for each in found]
    assert min(times) >= -BEFORE_S
    assert max(times) < 3600.0
    assert {each.outcome for each in found} == {"success", "aborted", "failure"}


def test_another_seed_gives_other_sizes_and_the_same_tasks() -> None:
    one, other = between(-600.0, 600.0), between(-600.0, 600.0, seed=7)
    assert [e.identity for e in one] == [e.identity for e in other]
    assert one != other


def test_a_task_runs_away_once_in_half_an_hour() -> None:
    """It begins before the first picture, and asks with more and more context."""
    runaway = [e for e in between(-BEFORE_S, 0.0) if e.task == "fix-tests-9001"]
    assert min(e.at_us for e in runaway) == BEGAN_US + round(RUNAWAY_S * 1e6)
    sizes = [e.prompt or 0 for e in sorted(runaway, key=lambda each: each.at_us)]
    assert sizes == sorted(sizes)
    later = {e.task for e in between(1700.0, 2000.0) if (e.task or "").startswith("fix-tests-90")}
    assert later == {"fix-tests-9002"}
