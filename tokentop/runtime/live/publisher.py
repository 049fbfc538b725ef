"""Gives snapshots to what keeps them, on a thread of its own: a slow disk holds up no picture."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported on the publisher's thread, after the first picture
    from tokentop.runtime.recorder import Recorder

MOST_WAITING = 8  # snapshots, for a disk that hangs; what comes then is dropped


class Published(NamedTuple):
    """A snapshot, the configuration that it was made with, and its moment in Unix seconds.

    `round_at` is the same for the snapshots of one round of polls, of which the last is whole.
    """

    config: Config
    snapshot: Snapshot
    wall: float
    round_at: float


class _State(NamedTuple):
    """What the next one-shot view goes on from, plain JSON values."""

    config: Config
    values: dict[str, object]


class Publisher:
    """Shares the newest snapshot, records the last one of each round, and leaves states.

    `report` gets a sentence where recording fails, on the publisher's thread.
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        self._report = report
        self._recorder: Recorder | None = None
        # Its put is safe in a signal.
        self._queue: SimpleQueue[Published | _State | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def failed(self) -> str:
        """Why recording fails now, in a sentence; empty where it does not."""
        return "" if self._recorder is None else self._recorder.failed

    @property
    def started(self) -> bool:
        """Whether anything was there to keep."""
        return self._thread is not None

    def offer(self, published: Published) -> None:
        """Keep it soon; never blocks. Where the system has no thread left nothing is kept."""
        self._put(published)

    def leave(self, config: Config, state: dict[str, object]) -> None:
        """Leave the state soon, for the next one-shot view with this configuration."""
        self._put(_State(config, state))

    def _put(self, new: Published | _State) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="publisher", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return
            self._thread = thread
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(new)

    def stop(self, within_s: float) -> None:
        """Keep what is not yet, if that takes at most `within_s` seconds."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(within_s)

    def _work(self) -> None:
        from tokentop.domain.snapshot_json import encode
        from tokentop.runtime.oneshot.kept_state import keep_state
        from tokentop.runtime.recorder import Recorder
        from tokentop.runtime.shared_snapshot import Sharing

        sharing, self._recorder = Sharing(details=True), Recorder(self._report)
        last: tuple[Published, dict[str, object]] | None = None
        while (new := self._queue.get()) is not None:
            if isinstance(new, _State):
                keep_state(*new)
                continue
            if last is not None and last[0].round_at != new.round_at:
                _record(self._recorder, *last)
            last = (new, encode(new.snapshot))  # once for both
            if self._queue.empty():
                sharing.leave(new.config, last[1], new.snapshot.interval_s, new.wall)
        if last is not None:
            _record(self._recorder, *last)
        self._recorder.close()


def _record(recorder: "Recorder", published: Published, encoded: dict[str, object]) -> None:
    tier = published.snapshot.demand.tier
    recorder.record(published.config.recording, encoded, tier)
