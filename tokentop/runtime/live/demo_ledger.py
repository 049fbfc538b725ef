"""The demo's ledger: a real one in a folder of its own, into which its world's spending goes.

What works on it is imported on its thread, after the first picture.
"""

import threading
from collections.abc import Callable, Iterator
from time import time_ns

from tokentop.config.schema import Config, LedgerConfig
from tokentop.demo import spending
from tokentop.demo.stack import HOST
from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.live.ledger import Figures, OwnLedger

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from tokentop.domain.ledger.record import Record
    from tokentop.runtime.ledger.follower import Follower
    from tokentop.transport.ledger.writer import Writer

EVERY_S = 2.0  # between two batches of requests
LEARNED_S = spending.RUNAWAY_S - 1.0  # what came before is history, from which baselines are made
SLICE_S = 600.0  # of the history that is booked at once
FIRST_LOOK_S = 20.0
LEAVE_S = 0.5


class DemoLedger(OwnLedger):
    """Booked by a thread from `begin` on, or up to one moment by `freeze`; gone after `stop`."""

    begins = True

    def __init__(self, config: Callable[[], Config]) -> None:
        super().__init__(lambda: self._with_ledger(config()))
        self._folder: TemporaryDirectory[str] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo ledger", daemon=True)
        self._ready = False
        self._began_us = 0
        self._on_change: Callable[[], object] = int

    def begin(self, on_change: Callable[[], object]) -> Figures:
        self._on_change = on_change
        self._thread.start()
        return self._figures

    def freeze(self, t: float, wall: float) -> Figures:
        """The ledger at second `t` of a demo that stands still there; `wall` is Unix seconds."""
        now_us = int(wall * 1e6)
        self._began_us = now_us - int(t * 1e6)
        writer, follower = self._opened()
        follower.accounts.follow(self._began_us + int(LEARNED_S * 1e6))
        self._book(writer, LEARNED_S, t)
        follower.accounts.follow(now_us)
        writer.close()
        self.follower, self._ready = follower, True
        return self._figures

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)
        super().stop()
        if self._folder is not None:
            self._folder.cleanup()

    def _figures(self, wall: float) -> LedgerFigures | None:
        """None until the history is booked."""
        return self.follower.figures(wall) if self._ready and self.follower else None

    def _with_ledger(self, config: Config) -> Config:
        """The configuration with the demo's budgets and the ledger in its folder."""
        name = f"{self._folder.name}/ledger.sqlite3" if self._folder else "/nonexistent"
        zone = None if config.demo.at_s is None else "UTC"
        ledger = LedgerConfig(path=name, writer=HOST, time_zone=zone)
        return config._replace(ledger=ledger, budgets=spending.BUDGETS)

    def _opened(self) -> "tuple[Writer, Follower]":
        """A new ledger with two hours of history, and what follows it from there."""
        from tempfile import TemporaryDirectory

        from tokentop.runtime.ledger import place
        from tokentop.runtime.ledger.follower import Follower

        self._folder = TemporaryDirectory(prefix="tokentop-demo-", ignore_cleanup_errors=True)
        ledger = self._config().ledger
        writer = place.writer(place.opened(ledger, {}, create=True), ledger)
        self._book(writer, -spending.BEFORE_S, LEARNED_S)
        follower = Follower(self._config, {}, self._on_change)
        follower.watch.books = True
        return writer, follower

    def _run(self) -> None:
        from tokentop.transport.ledger.database import LedgerError

        try:
            self._live()
        except (LedgerError, OSError):  # a full disk: the demo goes on without a ledger
            self._ready = False

    def _live(self) -> None:
        self._began_us = time_ns() // 1000
        writer, self.follower = self._opened()
        self.follower.start()
        self.follower.wait(FIRST_LOOK_S)
        since_s = LEARNED_S
        while not self._stopping.is_set():
            until_s = (time_ns() // 1000 - self._began_us) / 1e6
            self._book(writer, since_s, until_s)
            since_s = until_s
            self.follower.look()
            self._ready = True
            self._stopping.wait(EVERY_S)
        writer.close()

    def _book(self, writer: "Writer", since_s: float, until_s: float) -> None:
        """Book what passes at [since, until) of the demo's time, and the value that came of it."""
        seed = self._config().demo.seed
        while since_s < until_s:
            end_s = min(until_s, since_s + SLICE_S)
            now_us = self._began_us + int(end_s * 1e6)
            found = spending.events(since_s, end_s, self._began_us, seed)
            passed = sorted(filter(self._may_spend, found), key=lambda each: each.at_us)
            writer.append([*passed, *self._values(since_s, end_s)], now_us)
            since_s = end_s

    def _values(self, since_s: float, until_s: float) -> "Iterator[Record]":
        """What the projects report to have earned."""
        from tokentop.domain.replenishment import records

        for at_s, project, usd in spending.values(since_s, until_s):
            at_us = self._began_us + int(at_s * 1e6)
            yield records.value(f"demo:{project}:{at_s:.0f}", project, int(usd * 1e6), at_us)

    def _may_spend(self, event: UsageEvent) -> bool:
        """Whether a gateway lets the request pass: not where its project was stopped."""
        if self.follower is None:
            return True
        from tokentop.domain.budgets.authority import Asker

        asker = Asker(event.user, event.project, event.team)
        return self.follower.refusal(asker, event.at_us) is None
