"""One poll under way, and one of its exchanges: what the client knows of each."""

from collections.abc import Callable, Generator, Sequence
from time import monotonic, thread_time

from tokentop.domain.readings import Failure
from tokentop.light_typing import Any, Literal
from tokentop.sources.json_fields import BadData
from tokentop.transport.http.budget import Budget, StreamBudget
from tokentop.transport.http.exchange import Take
from tokentop.transport.http.failures import RequestFailed, our_limit, timed_out
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.steps import Steps

Batches = Generator[Sequence[Request], list[Reply | Failure], Any]
"""Yields the requests of a batch, is sent their answers in order, returns the poll's result."""

Stage = Literal["waiting", "asked", "reading"]
LATE_S = 0.2  # a poll that begins later than this was held up by us
READING_S = 0.05  # of a poll's time, to make something of its answers
NOT_ASKED = "not asked in time"
TOO_BUSY = 0.5  # of an exchange's time: more of it spent on others is no fault of the server
TOO_SLOW = "this machine was too busy to read its answer in time"
NOT_READ = "its answer was not read in time"


def _budget(request: Request, take: Take | None) -> Budget:
    return Budget(request) if take is None else StreamBudget(request)


class Poll:
    """One poll. `base` is the request that its budget and its failures are of.

    `done` is called with it once `result` is there. `limit_s` bounds the whole poll, `until` every
    answer, so that something can be made of those that are there. Times are monotonic; `began` is
    when its first request was made, `ended` when its last answer came. One with a `parent` is a
    part of it, and spends its budget. With `take` the answer has no end: its pieces go there, and
    only silence is bounded.
    """

    __slots__ = (
        "_steps",
        "base",
        "began",
        "budget",
        "busy_at",
        "done",
        "ended",
        "exchanges",
        "limit_s",
        "parent",
        "replies",
        "result",
        "stage",
        "submitted",
        "take",
        "until",
    )

    def __init__(
        self,
        steps: Batches,
        base: Request,
        done: Callable[["Poll"], object] = bool,
        limit_s: float | None = None,
        *,
        until: float | None = None,
        parent: "Poll | None" = None,
        take: Take | None = None,
    ) -> None:
        self._steps: Batches | None = steps
        self.base = base
        self.parent = parent
        self.take = take
        self.budget: Budget = parent.budget if parent is not None else _budget(base, take)
        self.done = done
        self.limit_s = limit_s
        self.until = until
        self.submitted = 0.0
        self.began: float | None = None
        self.busy_at = 0.0
        self.ended: float | None = None
        self.stage: Stage = "waiting"
        self.exchanges: list[Exchange] = []
        self.replies: list[Reply | Failure | None] = []
        self.result: Any = None

    @property
    def latency_s(self) -> float | None:
        """Seconds from its first request to its last answer; None where it made none."""
        return None if self.began is None or self.ended is None else self.ended - self.began

    @property
    def age_s(self) -> float:
        """Seconds since its last answer came: it waits to be read, and to be handed over."""
        return 0.0 if self.ended is None else max(0.0, monotonic() - self.ended)

    def answered(self, now: float) -> None:
        """One more answer is there, or there will be none."""
        self.ended = now
        if self.parent is not None:
            self.parent.answered(now)

    def start(self, now: float, busy_s: float) -> None:
        """Its first request is made."""
        if self.began is None:
            self.began, self.stage, self.busy_at = now, "asked", busy_s
            if self.parent is not None:
                self.parent.start(now, busy_s)

    @property
    def end(self) -> float | None:
        """When it takes too long: its limit counts from its first request on."""
        if self.limit_s is None:
            return None
        return (self.began or self.submitted) + self.limit_s

    def send(self, replies: list[Reply | Failure] | None) -> list[Request] | None:
        """Resume it; the requests of its next batch, or None where `result` is there."""
        began = thread_time()
        try:
            if self.budget.failure is not None:
                raise RequestFailed(self.budget.failure)
            assert self._steps is not None
            requests = self._steps.send(replies)  # type: ignore[arg-type]  # None begins it
            self.budget.take_cpu(thread_time() - began)
        except StopIteration as ended:
            self.result = ended.value
            self._count(thread_time() - began)
            return None
        except RequestFailed as failed:
            self.result = failed.failure
            return None
        except BadData as problem:
            self.result = Failure("bad-data", str(problem))
            return None
        except Exception as error:  # noqa: BLE001  # a strange answer costs one row, not the program
            text = f"its answer could not be read ({type(error).__name__})"
            self.result = Failure("bad-data", text)
            return None
        return list(requests)

    def _count(self, cpu_s: float) -> None:
        """A result that cost too much is none: the next one would cost as much."""
        try:
            self.budget.take_cpu(cpu_s)
        except RequestFailed as failed:
            self.result = failed.failure

    def close(self) -> None:
        """It will not be resumed; one without an answer ends now."""
        self._steps = None
        if self.ended is None:
            self.ended = monotonic()

    def overdue(self, end: float, busy_s: float | None = None) -> Failure:
        """Why it is not done by `end`: the server's silence, or a limit of ours.

        `busy_s` are the seconds that the client has worked so far.
        """
        if self.began is None:
            return our_limit(NOT_ASKED)
        if self.stage == "reading":
            return our_limit(NOT_READ)
        busy_s = 0.0 if busy_s is None else busy_s - self.busy_at
        return self.silence(self.base, self.began, end, busy_s)

    def silence(self, request: Request, began: float, end: float, busy_s: float) -> Failure:
        """No answer from `began` to `end`: the server's fault where it was given its time.

        The client worked for `busy_s` of it, most of that for others.
        """
        given = min(request.timeout_s, end - began)
        if began - self.submitted > LATE_S and given < request.timeout_s:
            return our_limit(NOT_ASKED)
        if busy_s > TOO_BUSY * given:
            return our_limit(TOO_SLOW)
        return timed_out(request.url, round(given, 2))


class Exchange:
    """One GET of a poll. `until` is the end of its present wait, `deadline` of all of it.

    `alarm` is when the client looks at it next; `busy_at` is the client's working time when it
    began.
    """

    __slots__ = (
        "alarm",
        "began",
        "busy_at",
        "deadline",
        "finished",
        "place",
        "poll",
        "request",
        "sock",
        "steps",
        "until",
    )

    def __init__(self, poll: Poll, place: int, request: Request, steps: Steps[Any]) -> None:
        self.poll = poll
        self.place = place
        self.request = request
        self.steps = steps
        self.sock: Any = None
        self.began: float | None = None
        self.deadline: float | None = None
        self.until = 0.0
        self.alarm: float | None = None
        self.busy_at = 0.0
        self.finished = False

    def begin(self, now: float, busy_s: float) -> None:
        """Its time counts from now on."""
        self.began = now
        self.deadline = now + self.request.timeout_s
        if self.poll.until is not None:
            self.deadline = min(self.deadline, self.poll.until - READING_S)
        self.busy_at = busy_s
        self.poll.start(now, busy_s)
