"""Flags as they were raised and classified: cases, precedents, the calibration epoch."""

from hashlib import sha256

from tokentop.domain.detector.tasks import Group, TaskId
from tokentop.domain.policy import DetectorPolicy
from tokentop.domain.recent import Recent
from tokentop.domain.snapshot_ledger import Classification, FlagKind
from tokentop.named_tuple import NamedTuple

EPOCH = 20  # flags that a person classifies before the threshold may be tuned
PUBLISHED = DetectorPolicy().threshold
MOST_FLAGS = 200
MOST_KINDS = 2_000


class Raised(NamedTuple):
    """A flag. `cost` and `expected` are milli-credits, `at_us` Unix microseconds.

    `name` is what the task is called, where it has a name. A concentration has `projects`, and the
    limit that they exceed together as the project of its `task`. Of a review `expected` is the
    budget's limit.
    """

    id: str
    at_us: int
    cost: int
    expected: int
    task: TaskId
    name: str | None = None
    projects: tuple[str, ...] = ()
    about: FlagKind = "task"


class Verdict(NamedTuple):
    """What a person has decided about a flag."""

    flag: Raised
    verdict: Classification


def flag_id(task: TaskId) -> str:
    """The id of the only flag that a task can have, the same in every process."""
    return sha256("\0".join((*task.group, task.id)).encode()).hexdigest()[:10]


class FlagBook:
    """The newest flags, the latest verdict on each kind of them, and the calibration epoch.

    Until EPOCH flags were classified every flag escalates, and a tuned threshold does not hold.
    """

    def __init__(self) -> None:
        self.newest: dict[str, Raised] = {}  # oldest first
        self.verdicts: dict[str, Classification] = {}  # of these
        self._classified: set[str] = set()  # ids, until there are EPOCH of them
        self._precedents: Recent[Group, Classification] = Recent(MOST_KINDS)

    @property
    def left(self) -> int:
        """Flags to classify before the calibration epoch ends; 0 after it."""
        return EPOCH - len(self._classified)

    def add(self, raised: Raised) -> bool:
        """Keep a flag; False where it is known. Of too many a classified one goes first."""
        if raised.id in self.newest:
            return False
        self.newest[raised.id] = raised
        if len(self.newest) > MOST_FLAGS:
            oldest = next((each for each in self.newest if each in self.verdicts), None)
            gone = oldest or next(iter(self.newest))
            del self.newest[gone]
            self.verdicts.pop(gone, None)
        return True

    def settle(self, flag: str, cost: int) -> None:
        """A task is over and cost so much; nothing where it has no flag."""
        if flag in self.newest:
            self.newest[flag] = self.newest[flag]._replace(cost=cost)

    def classify(self, given: Verdict) -> Raised | None:
        """Take in a person's verdict; the flag, where this has just made its cost a fine one."""
        flag, verdict = given
        if self.left and flag.about != "review":
            self._classified.add(flag.id)
        self._precedents.put(flag.task.group, verdict)
        before = self.verdicts.get(flag.id)
        if flag.id in self.newest:
            self.verdicts[flag.id] = verdict
        return self.newest.get(flag.id) if verdict == "fine" != before else None

    def precedent(self, kind: Group) -> Classification | None:
        """How a flag of this kind was classified last."""
        return self._precedents.get(kind)

    def escalates(self, raised: Raised) -> bool:
        """Whether a person has to see a flag."""
        if raised.id in self.verdicts:
            return False
        calibrating = self.left > 0 and raised.about != "review"
        return calibrating or self.precedent(raised.task.group) != "fine"

    def threshold(self, policy: DetectorPolicy) -> float:
        """The threshold in force, times the expected cost."""
        return PUBLISHED if self.left else policy.threshold

    def refusal(self, policy: DetectorPolicy) -> str | None:
        """Why a tuned threshold does not hold, as a sentence; None where it does."""
        held = self.threshold(policy)
        if policy.threshold == held:
            return None
        return (
            f"detector.threshold = {policy.threshold:g} is ignored, {held:g} holds: "
            f"{self.left} more flags have to be classified first"
        )
