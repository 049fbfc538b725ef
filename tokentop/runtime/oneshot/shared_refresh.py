"""`--watch`: of many that watch with the same configuration one polls, and the others read that."""

from time import time

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.oneshot.refresh import Refresher
from tokentop.runtime.shared_snapshot import Sharing, recall_shared
from tokentop.transport.nvml import Wanted


class SharedRefresher(Refresher):
    """Polls only where no other process has just done so, and leaves what it polled.

    With `fresh` it always polls.
    """

    def __init__(self, config: Config, wanted: Wanted, *, fresh: bool) -> None:
        super().__init__(config, wanted=wanted)
        self._fresh = fresh
        self._sharing = Sharing(details=wanted.details)

    def refresh(self, deadline: float) -> Snapshot:
        """What another process has just read, else a snapshot of our own by `deadline`."""
        config = self._collector.config
        if not self._fresh:
            shared = recall_shared(config, time(), details=self._wanted.details)
            if shared is not None:
                return shared
        snapshot = super().refresh(deadline)
        self._sharing.leave(config, snapshot, time())
        return snapshot
