"""Host names looked up on daemon threads, then connected to by address.

asyncio looks names up in its default executor: six hanging lookups would hold up every other name,
and leaving would wait for them.
"""

import asyncio
import socket
import threading
from collections.abc import Iterable

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

Found = list[str] | OSError


class Resolver:
    """Looks a name up once at a time, however many requests wait for it."""

    def __init__(self) -> None:
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
            found = _look_up(host)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=work, daemon=True).start()
        return future


class Backend(AsyncNetworkBackend):
    """httpcore's own connections, made to the addresses a Resolver finds."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolver = Resolver()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connects to the first address that takes it; none may use up the others' time."""
        addresses = await self._resolver.addresses(host)
        share = None if timeout is None else timeout / len(addresses)
        error: Exception = httpcore.ConnectError()
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _is_address(host: str) -> bool:
    if ":" in host:
        return True
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True


def _look_up(host: str) -> Found:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error if isinstance(error, OSError) else socket.gaierror(str(error))
    return list(dict.fromkeys(str(info[4][0]) for info in found))
