"""The connections under the pool: by our own name resolution, and watchful of what answers."""

import asyncio
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from tokentop.transport.http.resolver import Resolver


class Stream(AsyncNetworkStream):
    """A connection whose first bytes must be an HTTP answer's.

    h11 waits for the end of a header block before it objects, and a service of another kind on
    the port (ssh, a TLS port asked in clear) never sends one.
    """

    def __init__(self, inner: AsyncNetworkStream) -> None:
        self._inner = inner
        self._awaited = b"HTTP/"

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._inner.read(max_bytes, timeout)
        if self._awaited and data:
            seen = data[: len(self._awaited)]
            if not self._awaited.startswith(seen):
                raise httpcore.RemoteProtocolError("not HTTP")
            self._awaited = self._awaited[len(seen) :]
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncNetworkStream:
        return Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Backend(AsyncNetworkBackend):
    """httpcore's own connections, made to the addresses a Resolver finds."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolver = resolver or Resolver()

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
                stream = await self._inner.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
            else:
                return Stream(stream)
        raise error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
