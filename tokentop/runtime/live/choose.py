"""Which session the screen gets: this machine's own, or that of the host to connect to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.live.session import Session

if TYPE_CHECKING:
    from tokentop.runtime.live.remote import RemoteSession

AnySession: TypeAlias = "Session | RemoteSession"


def session_of(config: Config, on_change: Callable[[Snapshot, float], object]) -> AnySession:
    """The first of the hosts to connect to, else this machine."""
    if not config.hosts:
        return Session(config, on_change)
    from tokentop.runtime.live.feed import HostFeed
    from tokentop.runtime.live.remote import RemoteSession

    return RemoteSession(config, HostFeed(config.hosts[0], config), on_change)
