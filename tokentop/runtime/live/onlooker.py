"""What all sessions have in common that only look at what is polled elsewhere, or was."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence

from tokentop.config.load import ConfigError
from tokentop.config.schema import Config
from tokentop.domain.alerts.values import Change
from tokentop.domain.past import Past, Stretch
from tokentop.domain.snapshot import Gpu, Snapshot
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import TYPE_CHECKING
from tokentop.runtime.live.ledger import NoLedger
from tokentop.runtime.live.recent import Recent
from tokentop.runtime.live.spawn import Spawn

if TYPE_CHECKING:
    from tokentop.config.reload import Reloader


class Onlooker(Recent):
    """A session that polls nothing: what would change a host is the host's own affair.

    `not_ended` says why no process is ended from here, `ledger` why no entry is read.
    """

    polls = False
    not_ended = "it runs on another host"

    def __init__(self, config: Config, on_change: Callable[[Snapshot, float], object]) -> None:
        super().__init__()
        self.config = config
        self.ledger = NoLedger()
        self._on_change = on_change
        self._notify: Callable[[str], object] = str
        self._announce: Callable[[Sequence[Event]], object] = len
        self._ring: Callable[[Change], object] = id

    def say(
        self, notify: Callable[[str], object], announce: Callable[[Sequence[Event]], object]
    ) -> None:
        """Where sentences and events go from now on."""
        self._notify, self._announce = notify, announce

    async def reread(self, reloader: "Reloader") -> Config | None:
        """The configuration where its file has changed; what is wrong with it is a notice."""
        try:
            changed = await asyncio.to_thread(reloader.poll)
        except RuntimeError:  # no thread to be had; the next look tries again
            return None
        if isinstance(changed, ConfigError):
            self._notify(f"The configuration is left as it was: {str(changed).splitlines()[0]}")
            return None
        return changed

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """What is shown now."""

    @abstractmethod
    async def start(
        self,
        spawn: Spawn,
        reloader: "Reloader | None" = None,
        notify: Callable[[str], object] = str,
        announce: Callable[[Sequence[Event]], object] = len,
    ) -> None:
        """Follow what is shown; `notify` and `announce` as a Session's."""

    def act_on_alerts(self, ring: Callable[[Change], object] = id) -> None:
        """The host follows its own alerts, and acts on them; bell and notification are `ring`'s."""
        self._ring = ring

    def silence(self) -> int:
        """None from here: they are silenced on the host."""
        return 0

    async def keep_history(self) -> None:
        """What passes on the host is kept there."""

    async def past(self, stretch: Stretch) -> Past:  # noqa: ARG002
        """Nothing from before this run."""
        return Past()

    def stop(self) -> None:
        """Nothing is to be written."""

    def set_interval(self, interval_s: float) -> None:
        """The host's own affair."""

    def refresh(self) -> None:
        """The host's own affair."""

    def show_gpu_page(self, shown: bool) -> None:
        """What only that page shows is not sent."""

    def why_not_end(self, gpu: Gpu, pid: int, started: int | None) -> str | None:  # noqa: ARG002
        """No process of another machine is ended from here."""
        return self.not_ended

    def end_process(self, pid: int, started: int | None, *, force: bool) -> str | None:  # noqa: ARG002
        return self.not_ended

    def dismiss(self, identity: str) -> bool:  # noqa: ARG002
        """What is gone is forgotten there, not here."""
        return False
