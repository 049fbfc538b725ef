"""Engines' own counters into the ledger, while serving."""

from concurrent.futures import Future
from threading import Lock

from tokentop.domain.ledger.counting import Counter, record
from tokentop.domain.ledger.record import Record
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.ledger.intake import Intake, QueueFull

MOST_WAITING = 1_000  # records, while the ledger is away


class Counting:
    """Books what the engines of each snapshot have generated since the one before."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._counter = Counter()
        self._lock = Lock()
        self._waiting: list[Record] = []

    def follow(self, snapshot: Snapshot, now_us: int) -> None:
        """Take a snapshot; returns at once, and books later what cannot be booked now."""
        with self._lock:
            self._waiting += map(record, self._counter.follow(snapshot.engines, now_us))
            batch, self._waiting = self._waiting[-MOST_WAITING:], []
        if not batch:
            return
        try:
            done = self._intake.book(batch)
        except QueueFull:
            self._keep(batch)
        else:
            done.add_done_callback(lambda each: self._booked(each, batch))

    def _booked(self, done: "Future[None]", batch: list[Record]) -> None:
        if done.exception() is not None:
            self._keep(batch)

    def _keep(self, batch: list[Record]) -> None:
        with self._lock:
            self._waiting = [*batch, *self._waiting]
