"""Which session the screen gets: this machine's own, or that of the host to connect to."""

from collections.abc import Callable

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import TYPE_CHECKING, TypeAlias
from tokentop.runtime.live.session import Session

if TYPE_CHECKING:
    from tokentop.runtime.live.fleet import FleetSession
    from tokentop.runtime.live.onlooker import Onlooker

AnySession: TypeAlias = "Session | Onlooker"


def session_of(config: Config, on_change: Callable[[Snapshot, float], object]) -> AnySession:
    """The hosts to connect to, or the one, else this machine."""
    if not config.hosts:
        return Session(config, on_change)
    if len(config.hosts) > 1:
        from tokentop.runtime.live.fleet import FleetSession

        return FleetSession(config, on_change)
    from tokentop.runtime.live.feed import HostFeed
    from tokentop.runtime.live.remote import RemoteSession

    return RemoteSession(config, HostFeed(config.hosts[0], config), on_change)


def fleet_of(session: AnySession) -> "FleetSession | None":
    """The session, where it is that of several hosts."""
    if isinstance(session, Session):
        return None
    from tokentop.runtime.live.fleet import FleetSession

    return session if isinstance(session, FleetSession) else None
