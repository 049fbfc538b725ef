"""The breaker's rules, first as sentences, then as a machine compared with its plain history."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tokentop.collect.breaker import FAILURES, OPEN_S, WINDOW_S, Breaker


def opened_at(now: float) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.record("failed", now)
    return breaker


def test_two_failures_leave_it_closed() -> None:
    """Fewer than three failures never open the breaker."""
    breaker = Breaker()
    breaker.record("failed", 0.0)
    breaker.record("failed", 1.0)
    assert breaker.allow(1.0)
    assert breaker.state(1.0) == "closed"


def test_three_failures_within_a_minute_open_it_for_15_s() -> None:
    """The third failure opens it; nothing is polled until exactly 15 s later."""
    breaker = Breaker()
    for now in (0.0, 30.0, 60.0):
        assert breaker.allow(now)
        breaker.record("failed", now)
    assert breaker.state(60.0) == "open"
    assert not breaker.allow(74.9)
    assert breaker.allow(75.0)


def test_failures_older_than_a_minute_are_forgiven() -> None:
    """A failure every 31 s never makes three in any 60 s."""
    breaker = Breaker()
    for step in range(50):
        breaker.record("failed", step * 31.0)
    assert breaker.state(50 * 31.0) == "closed"


def test_only_one_probe_is_handed_out() -> None:
    """While the probe is out every other request is held back."""
    breaker = opened_at(0.0)
    assert breaker.allow(OPEN_S)
    assert breaker.state(OPEN_S) == "half-open"
    assert not breaker.allow(OPEN_S + 1)


def test_a_good_probe_closes_with_a_clean_slate() -> None:
    """After recovery three fresh failures are needed again."""
    breaker = opened_at(0.0)
    assert breaker.allow(OPEN_S)
    breaker.record("ok", OPEN_S + 1)
    assert breaker.state(OPEN_S + 1) == "closed"
    breaker.record("failed", OPEN_S + 2)
    breaker.record("failed", OPEN_S + 3)
    assert breaker.allow(OPEN_S + 3)


def test_a_neutral_answer_to_the_probe_closes() -> None:
    """A 404 says that the server is there."""
    breaker = opened_at(0.0)
    assert breaker.allow(OPEN_S)
    breaker.record("neutral", OPEN_S)
    assert breaker.state(OPEN_S) == "closed"


def test_a_failed_probe_opens_it_for_another_15_s() -> None:
    """One failure of the probe is enough, counted from when it failed."""
    breaker = opened_at(0.0)
    assert breaker.allow(OPEN_S)
    breaker.record("failed", 17.0)
    assert breaker.state(17.0) == "open"
    assert not breaker.allow(17.0 + OPEN_S - 0.01)
    assert breaker.allow(17.0 + OPEN_S)


def test_neutral_is_no_failure_and_no_success() -> None:
    """4xx answers neither open it nor wipe the failures around them."""
    breaker = Breaker()
    for second in range(20):
        breaker.record("neutral", float(second))
    assert breaker.state(20.0) == "closed"
    for now in (21.0, 22.0, 23.0):
        breaker.record("failed", now)
        breaker.record("neutral", now)
    assert breaker.state(23.0) == "open"


def test_a_late_answer_from_before_it_opened_decides_nothing() -> None:
    """Only the probe may close an open breaker, or keep it open."""
    breaker = opened_at(0.0)
    breaker.record("ok", 1.0)
    breaker.record("failed", 2.0)
    assert breaker.state(2.0) == "open"
    assert not breaker.allow(OPEN_S - 0.1)
    assert breaker.allow(OPEN_S)


def test_a_lost_probe_does_not_keep_it_open_for_ever() -> None:
    """A probe that never reports is given up after another 15 s."""
    breaker = opened_at(0.0)
    assert breaker.allow(OPEN_S)
    assert not breaker.allow(2 * OPEN_S - 0.1)
    assert breaker.allow(2 * OPEN_S)


class AgainstHistory(RuleBasedStateMachine):
    """The breaker beside a list of everything that happened, for any order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.breaker = Breaker()
        self.failed: list[float] = []  # failures since the breaker was last closed
        self.opened: float | None = None
        self.probe: float | None = None

    @rule(seconds=st.sampled_from((0.0, 0.5, 4.0, 14.5, 15.0, 31.0, 61.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(outcome=st.sampled_from(("ok", "failed", "neutral")))
    def ask(self, outcome: str) -> None:
        expected = self.opened is None or (
            self.now >= self.opened + OPEN_S
            and (self.probe is None or self.now >= self.probe + OPEN_S)
        )
        assert self.breaker.allow(self.now) is expected
        if not expected:
            return
        self.breaker.record(outcome, self.now)  # type: ignore[arg-type]
        if self.opened is not None:
            self.opened, self.probe, self.failed = None, None, []
            if outcome == "failed":
                self.opened = self.now
        elif outcome == "failed":
            self.failed.append(self.now)
            if sum(self.now - at <= WINDOW_S for at in self.failed) >= FAILURES:
                self.opened, self.failed = self.now, []

    @rule()
    def lose_a_probe(self) -> None:
        if self.breaker.allow(self.now) and self.opened is not None:
            self.probe = self.now

    @invariant()
    def state_agrees(self) -> None:
        state = self.breaker.state(self.now)
        assert (state == "closed") is (self.opened is None)


TestAgainstHistory = AgainstHistory.TestCase
TestAgainstHistory.settings = settings(max_examples=60, stateful_step_count=30)
