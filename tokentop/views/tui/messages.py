"""The messages that travel inside the full screen."""

from textual.message import Message

from tokentop.domain.snapshot import Snapshot


class SnapshotReady(Message):
    """Something new was learnt; `at` is the monotonic moment that the snapshot describes."""

    bubble = False

    def __init__(self, snapshot: Snapshot, at: float) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.at = at

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)
