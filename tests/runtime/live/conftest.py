"""Workers without Textual: plain tasks that end with the test."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest


class Tasks:
    """A `Spawn` of plain tasks, in the order in which they were started."""

    def __init__(self) -> None:
        self.started: list[asyncio.Task[None]] = []

    def __call__(
        self, work: Coroutine[Any, Any, None], *, name: str, group: str, exclusive: bool = False
    ) -> None:
        self.started.append(asyncio.create_task(work, name=name))

    def names(self) -> list[str]:
        """The names of all that were started."""
        return [task.get_name() for task in self.started]

    async def cancel(self) -> None:
        """Cancel and await all; raises what one of them raised before."""
        for task in self.started:
            task.cancel()
        for error in await asyncio.gather(*self.started, return_exceptions=True):
            if isinstance(error, Exception):
                raise error


@pytest.fixture
async def spawn() -> AsyncIterator[Tasks]:
    """Runs every coroutine given to it until the test ends."""
    tasks = Tasks()
    yield tasks
    await tasks.cancel()
