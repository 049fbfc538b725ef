"""Runaway tasks in streams of entries: flagged while they run, once, with what they cost."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.detector.stream import entry, learned, ordinary, session, verdict
from tests.domain.ledger.examples import NOON_US
from tokentop.domain.detector import detector as rules
from tokentop.domain.detector.detector import Detector
from tokentop.domain.detector.flags import EPOCH, MOST_FLAGS, Raised
from tokentop.domain.detector.shown import MOST_SHOWN, flags
from tokentop.domain.ledger.entry import Link, reversal
from tokentop.domain.policy import DetectorPolicy
from tokentop.domain.snapshot_ledger import Classification

MINUTE = 60.0


def watching(policy: DetectorPolicy | None = None) -> Detector:
    """A detector that has seen conversations of ten requests at 1,000 milli-credits each."""
    detector = Detector(policy or DetectorPolicy())
    past = chain.from_iterable(
        session(f"past-{number}", [1000] * 10, 10 * number, -90_000.0) for number in range(10)
    )
    detector.book(past)
    return detector


def test_a_runaway_is_flagged_while_it_runs() -> None:
    """Fifty conversations at once, one of which does not end: one flag, at three times 10,000."""
    detector = watching()
    stream = sorted(
        chain(
            *(session(f"s{n}", ordinary(n, 10), 100 * n, 7.0 * n) for n in range(50)),
            session("runaway", [1000] * 400, 9000, 60.0),
        ),
        key=lambda each: each.at_us,
    )
    raised = [(each, found) for each in stream for found in detector.book([each])]
    assert [found.task.id for _, found in raised] == ["runaway"]
    at, found = raised[0]
    assert (found.cost, found.expected) == (31_000, 10_000)
    assert at.at_us == NOON_US + (60 + 30) * 1_000_000  # its 31st request of 400
    (shown,) = flags(detector, NOON_US + 460_000_000)
    assert (shown.cost, shown.expected, shown.running) == (400.0, 10.0, True)
    assert (shown.projects, shown.model, shown.task) == (("alpha",), "own", "runaway")
    (later,) = flags(detector, NOON_US + 460_000_000 + 31 * 60_000_000)
    assert not later.running


def test_a_lone_request_is_a_task() -> None:
    """It ends as it is booked, and is never compared with conversations."""
    detector = watching()
    learned(detector, ordinary(1, 30))
    (found,) = detector.book([entry(1, 8000, project="alpha")])
    assert found.task.id == "test:1"
    assert not flags(detector, NOON_US)[0].running


@pytest.mark.parametrize(("cost", "flagged"), [(3000, 0), (3001, 1)])
def test_three_times_is_the_limit_and_not_beyond_it(cost: int, flagged: int) -> None:
    detector = Detector(DetectorPolicy())
    learned(detector, [1000] * 20)
    assert len(detector.book([entry(1, cost)])) == flagged


def test_a_kind_without_a_past_is_held_against_its_model() -> None:
    """With fewer than five tasks of its own; without any of the model nothing is expected."""
    detector = Detector(DetectorPolicy())
    learned(detector, [1000] * 20)
    assert len(detector.book([entry(1, 5000, project="new", task="summary")])) == 1
    assert detector.book([entry(2, 5000, model="other")]) == ()


def test_kinds_differ_by_name_and_not_by_number() -> None:
    """Tasks named by number are of one kind; another name is another kind."""
    detector = Detector(DetectorPolicy())
    past = [entry(n, 1000, -90_000.0, task=f"ticket {n}") for n in range(10)]
    past += [entry(100 + n, 50_000, -90_000.0, task="nightly") for n in range(10)]
    detector.book(past)
    detector.book([entry(200, None)])
    assert detector.book([entry(201, 50_000, task="nightly")]) == ()
    (found,) = detector.book([entry(202, 50_000, task="ticket 77")])
    assert found.expected == 1000


def test_unknown_costs_are_not_zero() -> None:
    """A request without a price says nothing about what tasks cost."""
    detector = Detector(DetectorPolicy())
    detector.book([entry(number, None, -90_000.0) for number in range(50)])
    assert detector.book([entry(99, 5000)]) == ()
    learned(detector, [1000] * 5)
    assert len(detector.book([entry(100, 5000)])) == 1


def test_a_reversal_takes_its_request_away() -> None:
    """An estimate that was corrected counts once."""
    detector = watching()
    first = entry(1, 25_000, session="s")
    taken = reversal(first, link=Link("a", 2, first.booked_us))
    assert detector.book([first, taken, entry(3, 24_000, 1.0, session="s")]) == ()


def test_what_is_booked_days_late_raises_nothing() -> None:
    """A file of last month has no task that could still be ended."""
    detector = watching()
    late = entry(1, 90_000, session="s")
    booked_us = late.booked_us + 2 * rules.LATE_US
    assert detector.book([late._replace(booked_us=booked_us)]) == ()


def test_a_restart_learns_in_silence_and_goes_on() -> None:
    """The past flags nothing again, and a runaway that has a flag gets no second one."""
    before = watching()
    stream = list(session("runaway", [1000] * 100, 0, 0.0))
    (flag,) = before.book(stream[:50])
    after = watching()
    after.flags.add(flag)
    assert after.book(stream[:50], learn=True) == ()
    assert after.book(stream[50:]) == ()
    (shown,) = flags(after, NOON_US + 100_000_000)
    assert (shown.id, shown.cost, shown.running) == (flag.id, 100.0, True)


def raised(detector: Detector, number: int, cost: int = 90_000) -> Raised:
    """One more runaway of the usual kind."""
    (flag,) = detector.book([entry(number, cost, number, session=f"r{number}")])
    return flag


def test_a_tuned_threshold_holds_after_the_calibration_epoch_only() -> None:
    """Twenty classified flags end it; one classified twice counts once."""
    detector = watching(DetectorPolicy(threshold=20.0))
    tuned = detector.policy
    for number in range(EPOCH):
        assert detector.flags.threshold(tuned) == 3.0
        assert f"{EPOCH - number} more flags" in (detector.flags.refusal(tuned) or "")
        flag = raised(detector, number)
        assert detector.flags.escalates(flag)
        detector.book([verdict(flag, "defer", number), verdict(flag, "halt", number)])
    assert (detector.flags.left, detector.flags.refusal(tuned)) == (0, None)
    assert detector.book([entry(900, 90_000, 900.0, session="nine times")]) == ()
    assert len(detector.book([entry(901, 210_000, 901.0, session="more than twenty")])) == 1


def test_a_later_flag_of_the_kind_carries_the_precedent() -> None:
    """A fine one does not escalate after the epoch, others do."""
    detector = watching()
    for number in range(EPOCH):
        detector.book([verdict(raised(detector, number), "halt", number)])
    later = raised(detector, 100)
    shown = flags(detector, NOON_US)[0]
    assert (shown.id, shown.precedent, shown.escalated) == (later.id, "halt", True)
    detector.book([verdict(later, "fine", 100)])
    shown = next(each for each in flags(detector, NOON_US) if each.id == later.id)
    assert (shown.classified, shown.escalated) == ("fine", False)
    assert not detector.flags.escalates(raised(detector, 101))


@pytest.mark.parametrize(("outcome", "expected"), [("halt", 10_000), ("fine", 40_000)])
def test_what_is_fine_becomes_the_baseline(outcome: Classification, expected: int) -> None:
    """Flagged tasks count for nothing until a person has called one of their kind fine."""
    detector = watching()
    flag = raised(detector, 0, 40_000)
    detector.book([verdict(flag, outcome, 1.0)])
    for number in range(90):
        detector.book([entry(number, 40_000, number * 40 * MINUTE, session=f"s{number}")])
    assert detector.expected(flag.task.group) == expected


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 4000),  # seconds until the next
        st.integers(0, 3),  # project
        st.one_of(st.none(), st.integers(0, 8)),  # conversation
        st.one_of(st.none(), st.integers(0, 100_000)),  # cost
    ),
    max_size=150,
)


@given(EVENTS, st.floats(1.5, 10.0))
def test_every_flag_is_beyond_what_was_expected_and_raised_once(
    events: list[tuple[int, int, int | None, int | None]], threshold: float
) -> None:
    """Whatever comes: three times, not the tuned threshold, and no task twice while it runs."""
    detector, at_s, seen = Detector(DetectorPolicy(threshold=threshold)), 0, set()
    for number, (wait_s, project, conversation, cost) in enumerate(events):
        at_s += wait_s
        talk = None if conversation is None else f"c{conversation}"
        one = entry(number, cost, float(at_s), project=f"p{project}", session=talk)
        for flag in detector.book([one]):
            assert flag.cost > 3 * flag.expected - 3  # the expectation is rounded
            assert flag.id not in seen
            seen.add(flag.id)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many projects, models, tasks and flags a client makes up."""
    monkeypatch.setattr(rules, "MOST_TASKS", 500)
    monkeypatch.setattr(rules, "MOST_BASELINES", 100)
    detector = watching()
    for number in range(3000):
        name = f"{number:x}".translate(str.maketrans("0123456789abcdef", "ghijklmnopqrstuv"))
        detector.book([entry(number, 90_000, 0.0, project=name, session=name)])
    assert len(detector._tasks) == 500
    assert len(detector._baselines) <= 100
    assert len(detector.flags.newest) == MOST_FLAGS
    assert len(flags(detector, NOON_US)) == MOST_SHOWN
