"""Several processes that answer at one address in turn, told from one that restarts.

A load balancer, or a server whose workers each count by themselves, shows now this one's counters
and now that one's: a start time comes back, or counters fall and jump back. A process that has
restarted goes up from its own zero. Times are monotonic seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

from tokentop.domain.engines.readings import LabelSets

SHOWN_S = 300.0  # for so long after the last sign: a kept-alive connection stays with one of them
RETURN_S = 30.0  # a counter that is back so soon has not counted that much anew
AGAIN_S = 60.0  # two falls from the same height
FAR = 8.0  # times what is usual is a jump
LEFT = 7 / 8  # of the way up to a fall is one jump: the counters had gone over to another's
MAX_EPOCHS = 8
MAX_SUMS = 32
MAX_WATCHED = 256  # label sets

Values = Mapping[str, float]


class Replicas:
    """Watches one address; `until` is when it counts as one process again."""

    __slots__ = ("epochs", "fallen", "fastest", "fell_at", "last", "last_at", "sums", "until")

    def __init__(self) -> None:
        self.epochs: tuple[float, ...] = ()  # the latest last
        self.fallen: dict[str, float] = {}  # the values that label sets fell from
        self.fell_at = 0.0
        self.fastest = 0.0  # the most that all label sets gained in a second
        self.last: dict[str, float] = {}
        self.last_at = 0.0
        self.sums: tuple[tuple[float, float], ...] = ()  # (when, sum of label sets), last minute
        self.until: float | None = None

    def several(self, now: float) -> bool:
        """Whether more than one process answers."""
        return self.until is not None and now < self.until

    def show(self, now: float) -> None:
        """There is a sign of several processes."""
        self.until = now + SHOWN_S

    def process_ended(self) -> None:
        """Nothing listened there, or a model was being loaded: what falls now has restarted."""
        self.fallen, self.last, self.sums = {}, {}, ()

    def add(
        self, epoch: float | None, figures: Sequence[LabelSets], now: float
    ) -> list[tuple[int, str, float]]:
        """Take one reading: the label sets of each counter.

        Returns those that are back where they fell from, as (counter, key, value they fell from).
        """
        if epoch is not None:
            self._add_epoch(epoch, now)
            return []
        values = dict(_watched(figures))
        returned = self._returned(values, now)
        if (
            self._is_jump(returned, values, now)
            or self._fell_again(values, now)
            or self._fell_back(values)
        ):
            self.show(now)
        self._note(values, returned, now)
        return [(*_counter(name), self.fallen[name]) for name in returned]

    def _add_epoch(self, epoch: float, now: float) -> None:
        if epoch in self.epochs[:-1]:
            self.show(now)
        others = tuple(each for each in self.epochs if each != epoch)
        self.epochs = (*others, epoch)[-MAX_EPOCHS:]

    def _returned(self, values: Values, now: float) -> list[str]:
        """The label sets that had fallen and are back at their old value or above."""
        if now - self.fell_at > RETURN_S:
            return []
        return [
            name
            for name, peak in self.fallen.items()
            if self.last.get(name, peak) < peak <= values.get(name, -1.0)
        ]

    def _is_jump(self, returned: Sequence[str], values: Values, now: float) -> bool:
        """Whether all that had fallen are back at once, near where they were."""
        there = [name for name in self.fallen if name in values]
        if not returned or len(returned) < len(there):
            return False
        jump = sum(values[name] - self.last.get(name, 0.0) for name in returned)
        excess = sum(values[name] - self.fallen[name] for name in returned)
        usual = self.fastest * (now - self.last_at)
        return jump > FAR * usual and FAR * excess <= jump

    def _fell_again(self, values: Values, now: float) -> bool:
        """Whether a label set falls for the second time, from no less than for the first."""
        if now - self.fell_at > AGAIN_S:
            return False
        return any(
            values.get(name, peak) < self.last.get(name, -1.0) >= peak
            for name, peak in self.fallen.items()
        )

    def _fell_back(self, values: Values) -> bool:
        """Whether the counters fall to where they were before a jump: they go on from there."""
        if not any(value < self.last.get(name, -1.0) for name, value in values.items()):
            return False
        total = sum({**self.last, **values}.values())
        top = self.sums[-1][1] if self.sums else 0.0
        return any(
            before > 0.0
            and 0.0 <= FAR * (total - before) <= top - total
            and after - before >= LEFT * (top - before)
            for (_, before), (_, after) in pairwise(self.sums)
        )

    def _note(self, values: dict[str, float], returned: Sequence[str], now: float) -> None:
        last = self.last
        steps = {name: value - last[name] for name, value in values.items() if name in last}
        fell = {name: last[name] for name, step in steps.items() if step < 0}
        if fell:
            kept = self.fallen if now - self.fell_at <= AGAIN_S else {}
            self.fallen, self.fell_at = {**kept, **fell}, now
        elif not returned and self.last_at < now:
            self.fastest = max(self.fastest, sum(steps.values()) / (now - self.last_at))
        known = {**last, **values}
        recent = [each for each in self.sums if now - each[0] <= AGAIN_S][1 - MAX_SUMS :]
        same = len(known) == len(last)  # a label set more is no jump
        self.sums = (*(recent if same else ()), (now, sum(known.values())))
        self.last, self.last_at = known if len(known) <= MAX_WATCHED else values, now


def _watched(figures: Sequence[LabelSets]) -> Iterator[tuple[str, float]]:
    """The first label sets by a name of their own."""
    named = ((f"{at}/{key}", value) for at, sets in enumerate(figures) for key, value in sets)
    return islice(named, MAX_WATCHED)


def _counter(name: str) -> tuple[int, str]:
    at, _, key = name.partition("/")
    return int(at), key
