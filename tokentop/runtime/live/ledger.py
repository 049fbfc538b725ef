"""The ledger behind the screen: followed, read and written on threads, or on another host."""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from tokentop.config.schema import Config, has_ledger
from tokentop.domain.ledger.listing import Page, Question
from tokentop.domain.snapshot_ledger import Classification, LedgerFigures

if TYPE_CHECKING:
    from tokentop.runtime.ledger.follower import Follower


class NoLedger:
    """What is shown has no ledger that could be read or written from here, for the reasons given.

    `unread` is why no entry is listed, `undecided` why nothing is decided. `begins`: there are
    figures of it, kept by its `follower`.
    """

    begins = False
    follower: "Follower | None" = None

    def __init__(
        self,
        unread: str = "only the host has it",
        undecided: str = "Spending is decided on where the ledger is",
    ) -> None:
        self._unread, self._undecided = unread, undecided

    def begin(self) -> Callable[[float], LedgerFigures | None]:
        """Follow the ledger from now on; returns what has its figures at a moment."""
        raise NotImplementedError

    def freeze(self, t: float, wall: float) -> Callable[[float], LedgerFigures | None]:  # noqa: ARG002
        """The figures of a demo that stands still at its second `t`; `wall` is Unix seconds."""
        return lambda _: None

    def stop(self) -> None:
        """Follow it no more."""

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
    """The configured ledger; followed where the configuration says more of it than nothing."""

    def __init__(self, config: Callable[[], Config]) -> None:
        super().__init__()
        self._config = config

    @property
    def begins(self) -> bool:  # type: ignore[override]
        return has_ledger(self._config())

    def begin(self) -> Callable[[float], LedgerFigures | None]:
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


def ledger_of(config: Config, current: Callable[[], Config]) -> NoLedger:
    """The configured ledger, or the demo's; `current` is the configuration in force."""
    if not config.demo.enabled:
        return OwnLedger(current)
    if config.demo.part != "whole":
        return NoLedger("this part of the demo has none, --demo has", "The demo's has no ledger")
    from tokentop.runtime.live.demo_ledger import DemoLedger

    return DemoLedger(current)


async def _told(book: Callable[[], str]) -> str:
    """What became of something that is booked, on a thread: the ledger's disk may be slow."""
    from tokentop.transport.ledger.database import LedgerError

    try:
        return await asyncio.to_thread(book)
    except LedgerError as error:
        return str(error)
