"""The forgiving breaker: three failures in a minute park an endpoint for 15 s, then one probe."""

from typing import Literal

Outcome = Literal["ok", "failed", "neutral"]
State = Literal["closed", "parked", "probing"]

FAILURES = 3
WINDOW_S = 60.0
PARK_S = 15.0


class Breaker:
    """One endpoint's breaker; a pure state machine over monotonic times passed in.

    A neutral outcome (4xx) is no failure, and as the answer to a probe it closes the breaker: the
    endpoint answered. An ok does not wipe earlier failures, so one that flaps is parked as well.
    """

    __slots__ = ("_failures", "_parked_at", "_probe_at")

    def __init__(self) -> None:
        self._failures: tuple[float, ...] = ()
        self._parked_at: float | None = None
        self._probe_at: float | None = None

    def allow(self, now: float) -> bool:
        """Whether to ask now; a True from a parked breaker hands out its single probe."""
        if self._parked_at is None:
            return True
        if now - self._parked_at < PARK_S or self._probe_out(now):
            return False
        self._probe_at = now
        return True

    def record(self, outcome: Outcome, now: float) -> None:
        """Take the outcome of a request that `allow` let through."""
        if self._parked_at is None:
            self._count(outcome, now)
        elif self._probe_at is not None:
            self._decide(outcome, now)
        # Parked with no probe out: an answer to a question asked before, which decides nothing.

    def state(self, now: float) -> State:
        """`parked` also covers the moment when a probe is due but has not been handed out."""
        if self._parked_at is None:
            return "closed"
        return "probing" if self._probe_out(now) else "parked"

    def _probe_out(self, now: float) -> bool:
        # A probe whose outcome never came back (its task was cancelled) must not park for ever.
        return self._probe_at is not None and now - self._probe_at < PARK_S

    def _count(self, outcome: Outcome, now: float) -> None:
        recent = tuple(at for at in self._failures if now - at <= WINDOW_S)
        self._failures = (*recent, now) if outcome == "failed" else recent
        if len(self._failures) >= FAILURES:
            self._park(now)

    def _decide(self, outcome: Outcome, now: float) -> None:
        if outcome == "failed":
            self._park(now)
        else:
            self._failures, self._parked_at, self._probe_at = (), None, None

    def _park(self, now: float) -> None:
        self._failures, self._parked_at, self._probe_at = (), now, None
