"""Host names looked up on daemon threads.

asyncio looks names up in its default executor: six hanging lookups would hold up every other name,
and leaving would wait for them.
"""

import asyncio
import socket
import threading
from collections.abc import Callable

Found = list[str] | OSError


def look_up(host: str) -> Found:
    """The addresses of a host as the system orders them; waits as long as the system does."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error if isinstance(error, OSError) else socket.gaierror(str(error))
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Resolver:
    """Looks a name up once at a time, however many requests wait for it."""

    def __init__(self, look_up: Callable[[str], Found] = look_up) -> None:
        self._look_up = look_up
        self._pending: dict[str, asyncio.Future[Found]] = {}

    async def addresses(self, host: str) -> list[str]:
        """The addresses of a host in the system's order; raises socket.gaierror."""
        if _is_address(host):
            return [host]
        found = await asyncio.shield(self._pending.get(host) or self._start(host))
        if isinstance(found, OSError):
            raise found
        return found

    def _start(self, host: str) -> asyncio.Future[Found]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found] = loop.create_future()
        self._pending[host] = future
        future.add_done_callback(lambda _: self._pending.pop(host, None))

        def settle(found: Found) -> None:
            if not future.done():
                future.set_result(found)

        def work() -> None:
            found = self._look_up(host)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=work, daemon=True).start()
        return future


def _is_address(host: str) -> bool:
    if ":" in host:
        return True
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True
