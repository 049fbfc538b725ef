"""A circuit breaker: three failures in a minute open it for 15 s, then one probe is let through."""

from tokentop.light_typing import Literal

Outcome = Literal["ok", "failed", "neutral"]
State = Literal["closed", "open", "half-open"]

FAILURES = 3
WINDOW_S = 60.0
OPEN_S = 15.0


class Breaker:
    """One endpoint's breaker; a pure state machine over monotonic times passed in.

    A neutral outcome (4xx) is no failure, and as the answer to a probe it closes the breaker: the
    endpoint answered. An ok does not wipe earlier failures, so it opens for one that flaps, too.
    """

    __slots__ = ("_failures", "_opened_at", "_probe_at")

    def __init__(self) -> None:
        self._failures: tuple[float, ...] = ()
        self._opened_at: float | None = None
        self._probe_at: float | None = None

    def allow(self, now: float) -> bool:
        """Whether to poll now; a True from an open breaker hands out its single probe."""
        if self._opened_at is None:
            return True
        if now - self._opened_at < OPEN_S or self._probe_out(now):
            return False
        self._probe_at = now
        return True

    def record(self, outcome: Outcome, now: float) -> None:
        """Take the outcome of a request that `allow` let through."""
        if self._opened_at is None:
            self._count(outcome, now)
        elif self._probe_at is not None:
            self._decide(outcome, now)
        # Open and no probe out: the answer to an earlier request, which decides nothing.

    def state(self, now: float) -> State:
        """`open` also covers the moment when a probe is due but has not been handed out."""
        if self._opened_at is None:
            return "closed"
        return "half-open" if self._probe_out(now) else "open"

    def _probe_out(self, now: float) -> bool:
        # A probe may never return (its task was cancelled); another is due then.
        return self._probe_at is not None and now - self._probe_at < OPEN_S

    def _count(self, outcome: Outcome, now: float) -> None:
        recent = tuple(at for at in self._failures if now - at <= WINDOW_S)
        self._failures = (*recent, now) if outcome == "failed" else recent
        if len(self._failures) >= FAILURES:
            self._open(now)

    def _decide(self, outcome: Outcome, now: float) -> None:
        if outcome == "failed":
            self._open(now)
        else:
            self._failures, self._opened_at, self._probe_at = (), None, None

    def _open(self, now: float) -> None:
        self._failures, self._opened_at, self._probe_at = (), now, None
