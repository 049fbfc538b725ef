"""How the pollers start their endless work, without knowing what runs it."""

from collections.abc import Coroutine
from typing import Any, Protocol


class Spawn(Protocol):
    """Runs `work` beside the caller until it ends; whoever provides it handles what `work` raises.

    The full screen passes Textual's workers. `group` is the kind of work; with `exclusive`, work
    of the same group that still runs is cancelled first.
    """

    def __call__(
        self, work: Coroutine[Any, Any, None], *, name: str, group: str, exclusive: bool = False
    ) -> object: ...
