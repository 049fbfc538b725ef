"""The store's writer on a daemon thread: whoever polls only puts samples into a queue."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, time

from tokentop import fault
from tokentop.domain.history import Sample
from tokentop.transport.history.store import Store, StoreError, is_damage, set_aside

FLUSH_S = 10.0  # what a crash may lose
RETRY_S = 60.0
MOST_PENDING = 3600  # samples kept for a disk that is full
NO_PLACE = (
    "The history is not kept: its directory ($XDG_STATE_HOME/tokentop, else "
    "~/.local/state/tokentop) cannot be made, or other users can write to it."
)


class HistoryWriter:
    """Keeps what `add` gets; what goes wrong is one sentence to `report`, on the writer's thread.

    `place` returns the store's path, None where it has no place. Where another process writes the
    store, or the disk is full, it is tried again once a minute.
    """

    def __init__(
        self,
        place: Callable[[], str | None],
        max_bytes: int,
        report: Callable[[str], object],
        flush_s: float = FLUSH_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._place = place
        self._max_bytes = max_bytes
        self._report = report
        self._flush_s = flush_s
        self._retry_s = retry_s
        self._queue: SimpleQueue[Sample | None] = SimpleQueue()  # its put is safe in a signal
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._pending: dict[float, Sample] = {}
        self._store: Store | None = None
        self._retry_at = float("-inf")
        self._reported = ""
        self._thread = threading.Thread(target=self._work, name="history", daemon=True)

    def start(self) -> None:
        """Open the store beside the caller; without a thread nothing is kept."""
        try:
            self._thread.start()
        except RuntimeError as error:
            self._say(f"The history is not kept: {fault.exhausted(error) or error}")

    def add(self, sample: Sample) -> None:
        """Keep a sample, whose `t` is Unix seconds; one of the same time replaces it."""
        self._queue.put(sample)

    def stop(self, within_s: float) -> None:
        """Write what is pending, if that takes at most `within_s` seconds."""
        self._queue.put(None)
        self._ended.put(None)
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _work(self) -> None:
        goes_on = True
        self._guarded(self._open)
        while goes_on:
            goes_on = self._collect()
            self._retry_at = self._retry_at if goes_on else float("-inf")
            self._guarded(self._flush)
        if self._store is not None:
            self._store.close()

    def _collect(self) -> bool:
        """Wait for a sample, and sleep for `flush_s` while more come; False at the end."""
        goes_on = self._takes(self._queue.get())
        if goes_on:
            with suppress(Empty):
                self._ended.get(timeout=self._flush_s)
        while not self._queue.empty():
            goes_on = self._takes(self._queue.get())
        return goes_on

    def _takes(self, sample: Sample | None) -> bool:
        if sample is not None:
            self._pending[sample.t] = sample
        return sample is not None

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do it; a failure becomes a sentence, and what was pending waits for the next try."""
        try:
            work()
        except StoreError as error:
            self._pending.clear()  # another process keeps them, or nobody can
            self._failed(str(error))
        except sqlite3.Error as error:
            if self._store is not None and is_damage(error):
                self._store.close()
                self._store = None
                self._failed(self._set_aside(), retry_s=0.0)
            else:
                self._failed(f"The history waits to be written: {error}.")
        except OSError as error:
            self._failed(f"The history waits to be written: {error.strerror or error}.")

    def _set_aside(self) -> str:
        path = self._place()
        return NO_PLACE if path is None else set_aside(path)

    def _failed(self, sentence: str, retry_s: float | None = None) -> None:
        self._retry_at = monotonic() + (self._retry_s if retry_s is None else retry_s)
        for t in sorted(self._pending)[:-MOST_PENDING]:
            del self._pending[t]
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        """Report it once, however often it fails in the same way."""
        if sentence != self._reported:
            self._reported = sentence
            self._report(sentence)

    def _open(self) -> None:
        self._retry_at = monotonic() + self._retry_s
        path = self._place()
        if path is None:
            raise StoreError(NO_PLACE)
        self._store = Store(path, self._max_bytes)
        if self._store.found is not None:
            self._say(self._store.found)

    def _flush(self) -> None:
        if self._store is None and monotonic() >= self._retry_at:
            self._open()
        if self._store is not None and self._pending:
            self._store.add(self._pending.values())
            self._store.prune(time())
            self._pending.clear()
            self._reported = ""
