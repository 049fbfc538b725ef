"""Gives snapshots to what keeps them, on a thread of its own: a slow disk holds up no picture."""

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from tokentop import fault
from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:  # imported on the publisher's thread, after the first picture
    from tokentop.runtime.recorder import Recorder
    from tokentop.runtime.shared_snapshot import Sharing

MOST_WAITING = 8  # snapshots, for a disk that hangs; what comes then is dropped


class Published(NamedTuple):
    """A snapshot, the configuration that it was made with, and its moment in Unix seconds.

    `round_at` is the same for the snapshots of one round of polls, of which the last is whole.
    """

    config: Config
    snapshot: Snapshot
    wall: float
    round_at: float


class Publisher:
    """Shares the newest snapshot, records the last one of each round, and leaves states.

    After each snapshot it calls `look`, which may wait for a disk as well. `report` gets a sentence
    where recording fails, or one of these; both are called on the publisher's thread.
    """

    def __init__(self, report: Callable[[str], object]) -> None:
        self._report = report
        self.look: Callable[[], object] = bool
        self._recorder: Recorder | None = None
        self._sharing: Sharing | None = None
        self._newest: Published | None = None
        self._last: tuple[Published, dict[str, object]] | None = None
        # Its put is safe in a signal.
        self._queue: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def failed(self) -> str:
        """Why recording fails now, in a sentence; empty where it does not."""
        return "" if self._recorder is None else self._recorder.failed

    @property
    def started(self) -> bool:
        """Whether anything was there to keep."""
        return self._newest is not None

    def offer(self, published: Published) -> None:
        """Keep it soon; never blocks. Where the system has no thread left nothing is kept."""
        self._newest = published
        self._put(partial(self._keep, published))

    def leave(self, config: Config, state: dict[str, object]) -> None:
        """Leave the state soon, for the next one-shot view with this configuration."""
        self._put(partial(_leave, config, state))

    def look_soon(self) -> None:
        """Call `look` without a snapshot."""
        self._put(self.look)

    def stop(self, within_s: float) -> None:
        """Keep what is not yet, if that takes at most `within_s` seconds."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(within_s)

    def _put(self, work: Callable[[], object]) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="publisher", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return
            self._thread = thread
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(work)

    def _work(self) -> None:
        from tokentop.runtime.recorder import Recorder

        self._recorder = Recorder(self._report)
        while (work := self._queue.get()) is not None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  # it costs this snapshot, not all others
                self._report(f"A snapshot was not kept: {fault.sentence(error)}")
        if self._last is not None:
            _record(self._recorder, *self._last)
        self._recorder.close()

    def _keep(self, new: Published) -> None:
        from tokentop.domain.snapshot_json import encode
        from tokentop.runtime.shared_snapshot import Sharing

        if self._recorder and self._last and self._last[0].round_at != new.round_at:
            _record(self._recorder, *self._last)
        encoded = encode(new.snapshot)
        self._last = new, encoded  # once for both
        if new is self._newest:
            self._sharing = self._sharing or Sharing(details=True)
            self._sharing.leave(new.config, encoded, new.snapshot.interval_s, new.wall)
            self.look()


def _leave(config: Config, state: dict[str, object]) -> None:
    from tokentop.runtime.oneshot.kept_state import keep_state

    keep_state(config, state)


def _record(recorder: "Recorder", published: Published, encoded: dict[str, object]) -> None:
    tier = published.snapshot.demand.tier
    recorder.record(published.config.recording, encoded, tier)
