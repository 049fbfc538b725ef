"""The messages of the full screen."""

from textual.message import Message

from tokentop.domain.snapshot import Snapshot


class SnapshotReady(Message):
    """There is new data; `at` is the monotonic time of the snapshot, s."""

    bubble = False

    def __init__(self, snapshot: Snapshot, at: float) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.at = at

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)
