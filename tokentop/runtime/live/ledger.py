"""The ledger behind the screen: followed, read and written on threads, or on another host."""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from tokentop.config.schema import Config
from tokentop.domain.ledger.listing import Page, Question
from tokentop.domain.snapshot_ledger import Classification, LedgerFigures

if TYPE_CHECKING:
    from tokentop.runtime.ledger.follower import Follower


class NoLedger:
    """What is shown has no ledger that could be read or written from here, for the reasons given.

    `unread` is why no entry is listed, `undecided` why nothing is decided.
    """

    def __init__(
        self,
        unread: str = "only the host has it",
        undecided: str = "Spending is decided on where the ledger is",
    ) -> None:
        self._unread, self._undecided = unread, undecided

    async def page(self, question: Question) -> Page:
        """The entries that answer a question."""
        return Page(question.wanted, problem=self._unread)

    async def decide(self, project: str, *, resume: bool) -> str:  # noqa: ARG002
        """Refuse what a project spends from now on, or let it pass again; how that went."""
        return self._undecided

    async def classify(self, flag: str, verdict: Classification) -> str:  # noqa: ARG002
        """Book what a person says of a flag; how that went."""
        return self._undecided


class OwnLedger(NoLedger):
    """The configured ledger. `follower` keeps its figures from `begin` on."""

    def __init__(self, config: Callable[[], Config]) -> None:
        super().__init__()
        self._config = config
        self.follower: Follower | None = None

    def begin(self) -> Callable[[float], LedgerFigures | None]:
        """Follow the ledger from now on; returns what has its figures at a moment."""
        from tokentop.runtime.ledger.follower import Follower

        self.follower = Follower(self._config, os.environ)
        self.follower.start()
        return self.follower.figures

    def stop(self) -> None:
        if self.follower is not None:
            self.follower.stop()

    async def page(self, question: Question) -> Page:
        from tokentop.runtime.ledger.entries import read

        return await asyncio.to_thread(read, self._config().ledger, os.environ, question)

    async def decide(self, project: str, *, resume: bool) -> str:
        follower = self.follower
        if follower is None:
            return f"{project} stays as it is: no ledger is followed here"
        return await _told(lambda: follower.decide(project, "resume" if resume else "stop"))

    async def classify(self, flag: str, verdict: Classification) -> str:
        from time import time_ns

        from tokentop.runtime.ledger import exchange

        def book() -> str:
            now_us = time_ns() // 1000
            _, left = exchange.classify(self._config(), os.environ, flag, verdict, now_us)
            if self.follower is not None:
                self.follower.look()
            return f"Classified: {verdict}" + (f"; {left} are left" if left else "")

        return await _told(book)


async def _told(book: Callable[[], str]) -> str:
    """What became of something that is booked, on a thread: the ledger's disk may be slow."""
    from tokentop.transport.ledger.database import LedgerError

    try:
        return await asyncio.to_thread(book)
    except LedgerError as error:
        return str(error)
