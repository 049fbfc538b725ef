"""The messages that travel inside the full screen."""

from textual.message import Message


class SnapshotReady(Message):
    """Something new was learnt; the screen asks for the picture when it handles this."""

    bubble = False

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotReady)
