"""llama.cpp's slots as counters: the tokens that were seen to be made, task by task."""

from collections.abc import Iterable, Mapping

from tokentop.domain.engines.readings import SlotProgress
from tokentop.named_tuple import NamedTuple

MAX_SLOTS = 4096


class Tokens(NamedTuple):
    """Tokens since the first reading.

    `missed`: a task ended out of sight meanwhile. `came_back`: a slot is at a task again that it
    had left, which no single server does.
    """

    prompt: float = 0.0
    generated: float = 0.0
    missed: bool = False
    came_back: bool = False


class Slot(NamedTuple):
    """A slot's task when it was last seen, and its task with the highest number."""

    last: SlotProgress
    highest: SlotProgress


NONE = Tokens()


class SlotTokens:
    """The slots by their places."""

    __slots__ = ("slots", "total")

    def __init__(self, slots: Mapping[str, Slot] | None = None, total: Tokens = NONE) -> None:
        self.slots = dict(slots or {})
        self.total = total

    def process_ended(self) -> None:
        """What runs next is another server's task, whatever its number."""
        self.slots = {place: Slot(slot.last, slot.last) for place, slot in self.slots.items()}

    def add(self, slots: Iterable[SlotProgress]) -> Tokens:
        """Take one reading; a slot that was not seen before gains nothing."""
        prompt, generated, missed, came_back = *self.total[:2], False, False
        if len(self.slots) > MAX_SLOTS:
            self.slots.clear()
        for new in slots:
            slot = self.slots.get(_place(new)) or Slot(new, new)
            before = _before(slot, new)
            prompt += max(0, new.prompt - before.prompt)
            generated += max(0, new.generated - before.generated)
            missed = missed or _has_ended(slot.last, new)
            came_back = came_back or _came_back(slot, new)
            highest = new if _number(new) >= _number(slot.highest) else slot.highest
            self.slots[_place(new)] = Slot(new, highest)
        self.total = Tokens(prompt, generated, missed, came_back)
        return self.total


def _before(slot: Slot, new: SlotProgress) -> SlotProgress:
    """Where the task stood when it was last seen, at 0 where it is a new one.

    Numbers rise: a lower one than before is another server's, and gains nothing at first.
    """
    for known in slot:
        if known.task == new.task:
            return known
    return new if _number(new) < _number(slot.last) else SlotProgress(new.task, 0)


def _has_ended(last: SlotProgress, new: SlotProgress) -> bool:
    """Whether the last task ended out of sight: another one runs, or its counts began anew.

    The server keeps the number of a task that has ended, and sets its counts to 0.
    """
    if last.task != new.task:
        return True
    return new.generated < last.generated or new.prompt < last.prompt


def _came_back(slot: Slot, new: SlotProgress) -> bool:
    """Whether a task runs again after one with a lower number, no less far than before."""
    again = new.task == slot.highest.task != slot.last.task
    return again and _number(slot.last) >= 0 and new.generated >= slot.highest.generated


def _place(slot: SlotProgress) -> str:
    return slot.task.rpartition("/")[0]


def _number(slot: SlotProgress) -> int:
    """The task's number; -1 where the slot had none."""
    number = slot.task.rpartition("/")[2]
    return int(number) if number.isdecimal() else -1
