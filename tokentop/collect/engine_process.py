"""What is known of an engine's processes, and whether they are on their way up or down."""

from collections.abc import Sequence


class EngineProcess:
    """The processes behind an engine's address, as searches and polls tell of them.

    One that listens nowhere is starting; unless it has served: then it is ending, which takes an
    engine that frees its GPUs a while.
    """

    def __init__(self) -> None:
        self.pids: tuple[int, ...] = ()
        self.starting = False
        self._served: tuple[int, ...] = ()

    def found(self, pids: Sequence[int], *, listening: bool) -> None:
        """A search has found these."""
        self.pids = tuple(pids)
        if listening:
            self._served = self.pids
        self.starting = not listening and set(self._served).isdisjoint(pids)

    def serves(self) -> None:
        """A poll was answered."""
        self._served, self.starting = self.pids, False

    def vanished(self) -> None:
        """Searches no longer find any."""
        self.starting = False

    def dump(self) -> list[int]:
        """Those that have served, for the next call of a one-shot view."""
        return list(self._served)

    def restore(self, saved: object) -> None:
        """Take what an earlier call left."""
        rows = saved if isinstance(saved, list) else []
        self._served = tuple(pid for pid in rows if isinstance(pid, int))
