"""What a session is of: this machine, or what the demo puts in the place of each part."""

import os

from tokentop.config.schema import Config
from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.runtime.demo import Demo
    from tokentop.runtime.live.engine_poller import Search
    from tokentop.transport.discovery.findings import Findings
    from tokentop.transport.http.client_async import Pool


def host_of(config: Config) -> str:
    """The name of the host that is shown."""
    if config.demo.enabled:
        from tokentop.demo.stack import HOST

        return HOST
    return os.uname().nodename


def demo_of(config: Config) -> "Demo | None":
    """The demo that is configured; None for this machine."""
    if not config.demo.enabled:
        return None
    from tokentop.runtime.demo import demo_of as made

    return made(config)


def pool_of(demo: "Demo | None") -> "Pool":
    """The client with its thread; imported here, on a worker thread, after the first paint."""
    from tokentop.transport.http.client_async import Pool

    return Pool() if demo is None else Pool(demo.dial)


def search_of(demo: "Demo | None") -> "Search | None":
    """The demo's search for engines; None for the real one."""
    if demo is None or not demo.world.has_engines:
        return None

    async def find() -> "Findings":
        return demo.find()

    return find
