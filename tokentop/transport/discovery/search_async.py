"""The same search for the full screen: the event loop goes on meanwhile."""

import asyncio
from contextlib import suppress

from tokentop.threads import spawn
from tokentop.transport.discovery.candidates import SearchScope
from tokentop.transport.discovery.findings import Findings
from tokentop.transport.discovery.probe_cache import ProbeCache
from tokentop.transport.discovery.search import find

SEARCH_S = 1.0


async def find_async(
    search: SearchScope,
    cache: ProbeCache,
    now: float,
    deadline_s: float = SEARCH_S,
) -> Findings:
    """As `find`, on a daemon thread of its own: leaving the program never waits for it.

    Incomplete and empty where no thread can be started: the next search may find room.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Findings] = loop.create_future()

    def settle(findings: Findings) -> None:
        if not future.done():
            future.set_result(findings)

    def work() -> None:
        try:
            findings = find(search, cache, now, deadline_s)
        except RuntimeError:  # no thread for a part of it
            findings = Findings(complete=False)
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, findings)

    try:
        spawn(work)
    except RuntimeError:
        return Findings(complete=False)
    return await future
