"""What kind of box this is: every view leaves out what there is none of."""

from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import Literal

Presence = Literal["stack", "engines", "gpus", "nothing"]


def has_stack(snapshot: Snapshot) -> bool:
    """Whether the seven services are configured here, or have answered since the start."""
    return any(one.kind == "aither" and one.member for one in snapshot.services)


def rents(snapshot: Snapshot) -> bool:
    """Whether a cloud that rents GPUs is configured here."""
    return any(one.kind == "offers" for one in snapshot.services)


def presence(snapshot: Snapshot) -> Presence:
    """The most that is known to be here; a stack may have engines beside it."""
    if has_stack(snapshot):
        return "stack"
    if snapshot.engines:
        return "engines"
    return "gpus" if snapshot.gpus else "nothing"
