"""How the pollers start their endless work, and how other threads report to the loop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

from tokentop.light_typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Spawn(Protocol):
    """Runs `work` beside the caller until it ends; whoever provides it handles what `work` raises.

    The full screen passes Textual's workers. `group` is the kind of work; with `exclusive`, work
    of the same group that still runs is cancelled first.
    """

    def __call__(
        self, work: Coroutine[Any, Any, None], *, name: str, group: str, exclusive: bool = False
    ) -> object: ...


async def beside(work: Callable[[], T]) -> T:
    """Do it on a thread; here where no thread can be started."""
    try:
        return await asyncio.to_thread(work)
    except RuntimeError:
        return work()


def on_loop(call: Callable[[T], object]) -> Callable[[T], None]:
    """What other threads may call: `call` is then called on the loop that runs now."""
    loop = asyncio.get_running_loop()

    def soon(what: T) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(call, what)

    return soon
