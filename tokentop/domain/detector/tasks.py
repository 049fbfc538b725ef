"""Which task a request belongs to, and what kind of task that is."""

import re

from tokentop.domain.ledger.entry import Entry
from tokentop.light_typing import Literal, get_args
from tokentop.named_tuple import NamedTuple

_NUMBERED = re.compile("[A-Za-z]*[0-9][A-Za-z0-9]*")


Unit = Literal["conversation", "request"]
UNITS: tuple[Unit, ...] = get_args(Unit)


class Group(NamedTuple):
    """Tasks that are compared with each other; "" where a name is unknown.

    `kind` is the task's name without the words that have digits in them. A conversation and a lone
    request are never of one kind: the first is many of the second.
    """

    project: str
    model: str
    kind: str
    unit: Unit

    @property
    def of_model(self) -> "Group":
        """All tasks of the model, whoever began them."""
        return Group("*", self.model, "*", self.unit)


class TaskId(NamedTuple):
    """One task: the id of its session, trace or conversation, else of its only request."""

    group: Group
    id: str


def task_of(entry: Entry) -> TaskId:
    """The task that an entry of usage is part of."""
    name = entry.task or ""
    kind = _NUMBERED.sub("#", name)
    shared = entry.session or (name if kind != name else None)
    group = Group(
        entry.project or "", entry.model or "", kind, "conversation" if shared else "request"
    )
    return TaskId(group, shared or entry.reverses or entry.identity)


class Task:
    """What a task has cost until now, in milli-credits, and when it was last seen."""

    __slots__ = ("cost", "flagged", "last_us")

    def __init__(self) -> None:
        self.cost = 0
        self.last_us = 0
        self.flagged = False
