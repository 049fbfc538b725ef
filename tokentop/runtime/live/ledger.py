"""The ledger behind the screen: followed, read and written on threads, or on another host."""

import asyncio
import os
from collections.abc import Callable

from tokentop.config.schema import Config, has_ledger
from tokentop.domain.ledger.listing import Page, Question
from tokentop.domain.snapshot_ledger import Classification, LedgerFigures
from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.runtime.ledger.follower import Follower

Figures = Callable[[float], LedgerFigures | None]


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
        undecided: str = "Nothing changes: it is decided where the ledger is",
    ) -> None:
        self._unread, self._undecided = unread, undecided

    def begin(self, on_change: Callable[[], object]) -> Figures:
        """Follow the ledger from now on; returns what has its figures at a moment.

        `on_change` is called on a thread when they have changed.
        """
        raise NotImplementedError

    def freeze(self, t: float, wall: float) -> Figures:  # noqa: ARG002
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


def classified(verdict: Classification, left: int) -> str:
    """That a verdict is booked, and how many flags wait for one, as a sentence."""
    return f"Classified: {verdict}" + (f"; {left} are left" if left else "")


class OwnLedger(NoLedger):
    """The configured ledger; followed where the configuration says more of it than nothing."""

    def __init__(self, config: Callable[[], Config]) -> None:
        super().__init__()
        self._config = config

    @property
    def begins(self) -> bool:  # type: ignore[override]
        return has_ledger(self._config())

    def begin(self, on_change: Callable[[], object]) -> Figures:
        from tokentop.runtime.ledger.follower import Follower

        self.follower = Follower(self._config, os.environ, on_change)
        self.follower.start()
        return self.follower.figures

    def stop(self) -> None:
        if self.follower is not None:
            self.follower.stop()

    async def page(self, question: Question) -> Page:
        from tokentop.runtime.ledger.entries import read

        return await asyncio.to_thread(read, self._config().ledger, os.environ, question)

    async def decide(self, project: str, *, resume: bool) -> str:
        from tokentop.runtime.ledger.deciding import stopped

        return await asyncio.to_thread(stopped, self.follower, project, resume=resume)

    async def classify(self, flag: str, verdict: Classification) -> str:
        from time import time_ns

        from tokentop.runtime.ledger import exchange
        from tokentop.transport.ledger.database import LedgerError

        try:
            now_us = time_ns() // 1000
            _, left = await asyncio.to_thread(
                exchange.classify, self._config(), os.environ, flag, verdict, now_us
            )
        except LedgerError as error:
            return str(error)
        if self.follower is not None:
            self.follower.look()
        return classified(verdict, left)


def ledger_of(config: Config, current: Callable[[], Config]) -> NoLedger:
    """The configured ledger, or the demo's; `current` is the configuration in force."""
    if not config.demo.enabled:
        return OwnLedger(current)
    if config.demo.part != "whole":
        return NoLedger("this part of the demo has none, --demo has", "The demo's has no ledger")
    from tokentop.runtime.live.demo_ledger import DemoLedger

    return DemoLedger(current)
