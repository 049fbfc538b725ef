"""What one poll may cost: bytes, events, rows and CPU. What is over is refused, whoever sends it.

An event is a piece of an answer that has a price of its own: what one read brought, a header, a
chunk, an interim answer. A row is what takes memory once it is read: an object, a list, four plain
values or four escapes of JSON, a labelled line of a metrics page or four others.
"""

from tokentop.domain.readings import Failure
from tokentop.domain.urls import origin
from tokentop.transport.http.failures import RequestFailed
from tokentop.transport.http.messages import Request

MIB = 2**20
LARGE = 256 * 1024  # a poll with more bytes than this is read and parsed one at a time
MAX_INTERIM = 16
EVENTS = 2048  # of one exchange, and one more for each
BYTES_PER_EVENT = 512
LARGEST_ANSWERS = 2  # of the largest size make up a poll, with LARGE for the heads of all
CPU_S, CPU_S_PER_MIB = 0.5, 0.25
ROWS_PER_MIB = 32 * 1024  # an empty object takes 64 bytes, one of two fields 300
SMALL_PER_ROW = 4
ROUGHLY = 8  # of so many rows that are allowed one may come of marks that each count as a row
_MARKS = b"{[,\n\\"
WINDOW_S = 10.0


class Budget:
    """One poll's budget, shared by its exchanges; once it is spent, `failure` says of what.

    `permitted`: the poll is the one whose large answers are read now.
    """

    __slots__ = (
        "_bytes", "_cpu_s", "_marks", "_max_bytes", "_max_cpu_s", "_max_rows", "_rows", "_url",
        "failure", "permitted",
    )  # fmt: skip

    def __init__(self, request: Request) -> None:
        self._url = request.url
        self._max_bytes = LARGEST_ANSWERS * request.max_bytes + LARGE
        self._max_cpu_s = CPU_S + CPU_S_PER_MIB * request.max_bytes / MIB
        self._max_rows = int(ROWS_PER_MIB * max(1.0, request.max_bytes / MIB))
        self._bytes = self._rows = self._marks = 0
        self._cpu_s = 0.0
        self.failure: Failure | None = None
        self.permitted = False

    @property
    def is_large(self) -> bool:
        """Whether the poll's answers have to wait for those of others."""
        return self._bytes > LARGE

    def take_bytes(self, size: int) -> None:
        """Count what one read brought; raises RequestFailed over the limit."""
        self._bytes += size
        if self._bytes > self._max_bytes:
            self.refuse(f"sent more than {self._max_bytes / MIB:.3g} MiB in one poll")

    def take_rows(self, data: bytes) -> None:
        """Count rows as they arrive, before they are read; raises RequestFailed over the limit.

        Few marks are not told apart, which takes three times as long.
        """
        marks = len(data) - len(data.translate(None, _MARKS))
        if self._marks + marks <= self._max_rows // ROUGHLY:
            self._marks += marks
        else:
            self._rows += rows_of(data)
        if self._rows + self._marks > self._max_rows:
            self.refuse(f"sent more than {self._max_rows:,} rows in one poll")

    def take_cpu(self, seconds: float) -> None:
        """Count CPU time; raises RequestFailed over the limit."""
        self._cpu_s += seconds
        if self._cpu_s > self._max_cpu_s:
            self.refuse(f"cost more than {self._max_cpu_s:.3g} s of CPU in one poll")

    def refuse(self, what: str) -> None:
        """Spend the whole budget; raises RequestFailed, as every later request of the poll does."""
        self.failure = Failure("too-large", f"{origin(self._url)} {what}")
        raise RequestFailed(self.failure)


class StreamBudget(Budget):
    """What an answer without end may cost in WINDOW_S; its pieces are never read as one."""

    __slots__ = ("_began", "_request")

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._request = request
        self._began = 0.0

    @property
    def is_large(self) -> bool:
        return False

    def renew(self, now: float) -> bool:
        """Whether a window has ended, and the next one begins; `now` is monotonic."""
        if now - self._began < WINDOW_S:
            return False
        super().__init__(self._request)
        self._began = now
        return True


def rows_of(data: bytes) -> int:
    """How many rows there are in it; counted without reading it."""
    containers = data.count(b"{") + data.count(b"[")
    others = max(data.count(b","), data.count(b"\n"), data.count(b"\\"))
    return containers + others // SMALL_PER_ROW


class Meter:
    """Counts one exchange's events against its own limit, its bytes against the poll's."""

    __slots__ = ("_budget", "_bytes", "_events")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._bytes = 0
        self._events = 0

    def read(self, data: bytes) -> None:
        """Count what one read brought; raises RequestFailed over a limit."""
        self._bytes += len(data)
        self.event()
        self._budget.take_bytes(len(data))
        self._budget.take_rows(data)

    def event(self) -> None:
        """One header, chunk or interim answer; raises RequestFailed over the limit."""
        self._events += 1
        if self._events > EVENTS + self._bytes // BYTES_PER_EVENT:
            self._budget.refuse(f"sent its answer in more than {EVENTS:,} tiny pieces")

    def interim(self, count: int) -> None:
        """The `count`-th interim answer; raises RequestFailed over the limit."""
        if count > MAX_INTERIM:
            self._budget.refuse(f"sent more than {MAX_INTERIM} interim answers")
