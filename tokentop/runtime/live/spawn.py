"""How the pollers start their endless work, and how other threads report to the loop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol


class Spawn(Protocol):
    """Runs `work` beside the caller until it ends; whoever provides it handles what `work` raises.

    The full screen passes Textual's workers. `group` is the kind of work; with `exclusive`, work
    of the same group that still runs is cancelled first.
    """

    def __call__(
        self, work: Coroutine[Any, Any, None], *, name: str, group: str, exclusive: bool = False
    ) -> object: ...


def on_loop(notify: Callable[[str], object]) -> Callable[[str], None]:
    """What other threads may call: `notify` is then called on the loop that runs now."""
    loop = asyncio.get_running_loop()

    def report(sentence: str) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(notify, sentence)

    return report
