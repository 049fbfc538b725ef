"""Events that arrive while serving: queued, booked in batches by one thread, acknowledged after."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from tokentop import fault
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.record import Record
from tokentop.named_tuple import NamedTuple
from tokentop.transport.ledger.database import LedgerError
from tokentop.transport.ledger.writer import Writer

MAX_QUEUED = 20_000  # events; of some hundred bytes each
BATCH = 500  # events of one transaction
LEAVE_S = 1.0  # for the last batch, at the end

Subscriber = Callable[[Sequence[Entry]], object]


class QueueFull(Exception):
    """More events arrive than the ledger can book; the sender has to wait."""


class _Batch(NamedTuple):
    """What one request brought; `done` is acknowledged once all of it is on the disk."""

    events: Sequence[UsageEvent | Record]
    done: "Future[None]"


class Intake:
    """Books on a thread of its own. `open_writer` opens the ledger, again after it has failed.

    `now_us` is the clock, Unix microseconds. `say` gets a sentence when the ledger goes away and
    when it is back, and for each fault of a subscriber.
    """

    def __init__(
        self,
        open_writer: Callable[[], Writer],
        now_us: Callable[[], int],
        say: Callable[[str], object],
    ) -> None:
        self._open_writer = open_writer
        self._now_us = now_us
        self._say = say
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._count = threading.Lock()
        self._waiting = 0
        self._writer: Writer | None = None
        self._away: str | None = None
        self._subscribers: list[Subscriber] = []
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` on the ledger's thread with the entries of each batch, once booked."""
        self._subscribers.append(subscriber)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Book what is queued; what is not on the disk in LEAVE_S was not acknowledged."""
        self._queue.put(None)
        self._thread.join(LEAVE_S)

    def book(self, events: Sequence[UsageEvent | Record]) -> "Future[None]":
        """Queue events; the future is done when they are on the disk, or fails with LedgerError.

        Raises QueueFull, and nothing is queued then.
        """
        with self._count:
            if self._waiting and self._waiting + len(events) > MAX_QUEUED:
                raise QueueFull
            self._waiting += len(events)
        batch = _Batch(events, Future())
        batch.done.set_running_or_notify_cancel()  # a sender that gives up cancels nothing
        self._queue.put(batch)
        return batch.done

    def _run(self) -> None:
        self._book([])  # opens the ledger: what is wrong with it is said now
        while (first := self._queue.get()) is not None:
            batches = [first, *self._more(len(first.events))]
            self._book(batches)
            with self._count:
                self._waiting -= sum(len(each.events) for each in batches)
        self._close()

    def _more(self, size: int) -> list[_Batch]:
        """What is queued already, as far as it fits into the same transaction."""
        found: list[_Batch] = []
        while size < BATCH and not self._queue.empty():
            each = self._queue.get()
            if each is None:
                self._queue.put(None)
                break
            found.append(each)
            size += len(each.events)
        return found

    def _book(self, batches: Sequence[_Batch]) -> None:
        try:
            entries = self._append([event for each in batches for event in each.events])
        except LedgerError as error:
            self._gone(str(error))
            self._fail(batches, error)
        except Exception as error:  # noqa: BLE001  # the thread must live for the next batch
            self._close()
            if len(batches) == 1:
                self._fail(batches, error)
            for batch in batches if len(batches) > 1 else ():  # what one holds costs no other
                self._book([batch])
        else:
            self._publish(entries)
            for batch in batches:
                batch.done.set_result(None)

    def _append(self, events: Sequence[UsageEvent | Record]) -> Sequence[Entry]:
        if self._writer is None:
            self._writer = self._open_writer()
        booked = self._writer.append(events, self._now_us())
        if self._away is not None:
            self._say("the ledger is back")
            self._away = None
        return booked.entries

    def _publish(self, entries: Sequence[Entry]) -> None:
        for subscriber in self._subscribers if entries else ():
            try:
                subscriber(entries)
            except Exception as error:  # noqa: BLE001  # it is booked, whatever a reader makes of it
                self._say(fault.sentence(error))

    def _gone(self, reason: str) -> None:
        if reason != self._away:
            self._say(reason)
        self._away = reason
        self._close()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    @staticmethod
    def _fail(batches: Sequence[_Batch], error: Exception) -> None:
        for batch in batches:
            batch.done.set_exception(error)
