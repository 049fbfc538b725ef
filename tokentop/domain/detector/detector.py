"""Tasks that cost a multiple of what their kind is expected to cost, flagged while they run."""

from collections import OrderedDict
from collections.abc import Iterable

from tokentop.domain.detector.baseline import Baseline
from tokentop.domain.detector.flags import FlagBook, Raised, flag_id
from tokentop.domain.detector.records import read
from tokentop.domain.detector.tasks import Group, Task, TaskId, task_of
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import DAY_US
from tokentop.domain.ledger.totals import SUMMED
from tokentop.domain.policy import DetectorPolicy
from tokentop.domain.recent import Recent

MOST_TASKS = 20_000  # open at once; the one seen longest ago ends early
MOST_BASELINES = 4_000
LATE_US = DAY_US  # an entry booked later than this is of the past, and raises no flag


class Detector:
    """Follows entries in the order in which they are booked. All memory is bounded."""

    def __init__(self, policy: DetectorPolicy) -> None:
        self.policy = policy
        self.flags = FlagBook()
        self._tasks: OrderedDict[TaskId, Task] = OrderedDict()  # the one seen longest ago first
        self._baselines: Recent[Group, Baseline] = Recent(MOST_BASELINES)
        self._now_us = 0

    def book(self, entries: Iterable[Entry], *, learn: bool = False) -> tuple[Raised, ...]:
        """Take in entries; the tasks that they carry beyond the threshold, each once.

        With `learn` nothing is flagged: what these entries had to raise was raised before.
        """
        return tuple(raised for entry in entries if (raised := self._booked(entry, learn)))

    def _booked(self, entry: Entry, learn: bool) -> Raised | None:
        self._end_idle(entry.booked_us)
        if entry.kind == "flag":
            self._read(entry)
        elif entry.kind in SUMMED and entry.milli_credits is not None:
            return self._charge(entry, learn or entry.booked_us - entry.at_us > LATE_US)
        return None

    def _read(self, entry: Entry) -> None:
        """Take in a flag, or the verdict on one, from the ledger."""
        found = read(entry)
        if isinstance(found, Raised):
            self.flags.add(found)
        elif found is not None:
            fine = self.flags.classify(found)
            if fine is not None and fine.task not in self._tasks:
                self._count(fine.task.group, fine.cost)

    def running(self, key: TaskId, now_us: int) -> Task | None:
        """A task that has not been idle for too long; `now_us` is Unix microseconds."""
        task = self._tasks.get(key)
        return task if task is not None and now_us - task.last_us < self._idle_us else None

    def expected(self, group: Group) -> float | None:
        """What a task of this kind costs, in milli-credits; else one of its model; else None."""
        for each in (group, group.of_model):
            baseline = self._baselines.get(each)
            if baseline is not None and baseline.expected is not None:
                return baseline.expected
        return None

    def _charge(self, entry: Entry, silent: bool) -> Raised | None:
        """Add an entry to its task; the flag that the task has now earned."""
        key = task_of(entry)
        task = self._tasks.setdefault(key, Task())
        self._tasks.move_to_end(key)
        task.cost += entry.milli_credits or 0
        task.last_us = self._now_us
        raised = None if silent or task.flagged else self._judged(key, task, entry)
        if key.group.unit == "request":
            self._end(key)
        elif len(self._tasks) > MOST_TASKS:
            self._end(next(iter(self._tasks)))
        return raised

    def _judged(self, key: TaskId, task: Task, entry: Entry) -> Raised | None:
        expected = self.expected(key.group)
        if expected is None or not self._is_beyond(task.cost, expected):
            return None
        task.flagged = True
        raised = Raised(flag_id(key), entry.at_us, task.cost, round(expected), key, entry.task)
        return raised if self.flags.add(raised) else None

    def _is_beyond(self, cost: int, expected: float) -> bool:
        return cost > self.flags.threshold(self.policy) * expected

    @property
    def _idle_us(self) -> int:
        return int(self.policy.idle_s * 1e6)

    def _end_idle(self, now_us: int) -> None:
        self._now_us = max(self._now_us, now_us)
        while self._tasks:
            key = next(iter(self._tasks))
            if self._now_us - self._tasks[key].last_us < self._idle_us:
                return
            self._end(key)

    def _end(self, key: TaskId) -> None:
        """A task is over. It counts for the baselines unless it was beyond them, and not fine."""
        cost, expected = self._tasks.pop(key).cost, self.expected(key.group)
        self.flags.settle(flag_id(key), cost)
        beyond = expected is not None and self._is_beyond(cost, expected)
        if cost > 0 and (not beyond or self.flags.precedent(key.group) == "fine"):
            self._count(key.group, cost)

    def _count(self, group: Group, cost: int) -> None:
        for each in (group, group.of_model):
            self._baselines.use(each, Baseline).add(cost)
