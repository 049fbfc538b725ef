"""`--watch`: of many that watch with the same configuration one polls, and the others read that.

What is shown is also recorded, where the configuration says so.
"""

import sys
from time import monotonic, time

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import encode
from tokentop.runtime.oneshot.kept_state import keep_state
from tokentop.runtime.oneshot.refresh import Refresher
from tokentop.runtime.recorder import Recorder
from tokentop.runtime.shared_snapshot import Sharing, recall_shared
from tokentop.runtime.state_timer import StateTimer
from tokentop.transport.nvml.wanted import Wanted


class SharedRefresher(Refresher):
    """Polls only where no other process has just done so, and leaves what it polled.

    With `fresh` it always polls.
    """

    def __init__(self, config: Config, wanted: Wanted, *, fresh: bool) -> None:
        super().__init__(config, wanted=wanted)
        self._fresh = fresh
        self._sharing = Sharing(details=wanted.details)
        self._state_timer = StateTimer()
        self._recorder = Recorder(_report)

    def refresh(self, deadline: float) -> Snapshot:
        """What another process has just read, else a snapshot of our own by `deadline`."""
        config, shared = self._collector.config, None
        if not self._fresh:
            shared = recall_shared(config, time(), details=self._wanted.details)
        snapshot = shared or super().refresh(deadline)
        encoded = encode(snapshot)
        if shared is None:
            self._sharing.leave(config, encoded, snapshot.interval_s, time())
            self._leave_state()
        self._recorder.record(config.recording, encoded, snapshot.demand.tier)
        return snapshot

    def _leave_state(self) -> None:
        """For who comes between two of our snapshots."""
        state = self._state_timer.due(self._collector, monotonic()) if self._keeps else None
        if state is not None:
            keep_state(self._collector.config, state)

    def stop(self) -> None:
        self._recorder.close()
        super().stop()


def _report(sentence: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"tokentop: {sentence}\n")
