"""Whether a rule's conditions hold now: true, false, or unknown."""

from collections import deque
from collections.abc import Mapping

from tokentop.domain.alerts.keys import members, value
from tokentop.domain.alerts.rule import Condition, Key, Rule
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import known
from tokentop.named_tuple import NamedTuple

_MOST = 4096  # values kept of one key for rises and falls


class Subject(NamedTuple):
    """What a rule is about: one member of its list by its identity, or the whole ("", None)."""

    identity: str
    item: object
    holds: bool | None


class Evaluator:
    """One rule, snapshot after snapshot; remembers what `rises` and `falls` compare with."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._past: dict[tuple[str, Condition], deque[tuple[float, float]]] = {}

    def evaluate(self, snapshot: Snapshot, now: float) -> Mapping[str, Subject]:
        """Every subject that is in the snapshot, by its identity; `now` is monotonic seconds."""
        name = self.rule.list_name
        items = [("", None)] if name is None else list(members(snapshot, name))
        found = {
            identity: Subject(identity, item, self._holds(snapshot, identity, item, now))
            for identity, item in items
        }
        self._past = {key: kept for key, kept in self._past.items() if key[0] in found}
        return found

    def _holds(self, snapshot: Snapshot, identity: str, item: object, now: float) -> bool | None:
        """False where one condition is false, else unknown where one is."""
        answers = [
            self._condition(one, snapshot, identity, item, now) for one in self.rule.conditions
        ]
        if False in answers:
            return False
        return None if None in answers else True

    def _condition(
        self, one: Condition, snapshot: Snapshot, identity: str, item: object, now: float
    ) -> bool | None:
        left = value(snapshot, item, one.key)
        if one.window_s:
            return self._moved(one, identity, left, now)
        right: object = one.value
        if isinstance(right, Key):
            right = value(snapshot, item, right.name)
        return _compared(left, one.operator, right)

    def _moved(self, one: Condition, identity: str, left: object, now: float) -> bool | None:
        """Whether it has risen or fallen by so much since the beginning of the window."""
        kept = self._past.setdefault((identity, one), deque(maxlen=_MOST))
        if not isinstance(left, int | float) or isinstance(left, bool) or not known(left):
            return None
        kept.append((now, left))
        while len(kept) > 1 and kept[1][0] <= now - one.window_s:
            kept.popleft()
        began, first = kept[0]
        if began > now - one.window_s:
            return None  # not watched for so long yet
        gain = left - first if one.operator == "rises" else first - left
        assert isinstance(one.value, float)
        return gain >= one.value


def _compared(left: object, operator: str, right: object) -> bool | None:
    if left is None or right is None:
        return None
    if operator == "contains":
        return str(right) in left if isinstance(left, tuple | str) else None
    if operator in ("==", "!="):
        return (left == right) == (operator == "==")
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    return {
        ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right,
    }[operator]  # fmt: skip
