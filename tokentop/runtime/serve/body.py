"""The body of a request: bounded in bytes, in time, and again after it was unpacked."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

MAX_SENT = 16 * 1024 * 1024  # LiteLLM sends up to 13 MB, 512 events
MAX_DROPPED = 4 * MAX_SENT
MAX_UNPACKED = 32 * 1024 * 1024
MAX_HELD = 64 * 1024 * 1024  # of all bodies that are being read
BODY_S = 20.0  # for a whole body to arrive
_GZIP = 31  # zlib's window size that means gzip


class Receiving(Route):
    """A POST that may have a body; the guard refuses those of all other routes."""

    def __init__(self, path: str, handle: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__(path, handle, methods=["POST"])


class BodyError(Exception):
    """Why a body is not taken, as one sentence, with the answer's status and headers."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Bodies:
    """All bodies that are being read."""

    def __init__(self) -> None:
        self._held = 0

    @contextmanager
    def room(self) -> Iterator[bytearray]:
        """An empty body to fill with `read`, whose bytes count until the block ends."""
        body = bytearray()
        try:
            yield body
        finally:
            self._held -= len(body)

    async def read(self, request: Request, body: bytearray) -> None:
        """Read the request's body as it was sent; raises BodyError.

        The rest of one that is too long is read and dropped: a client that still sends when the
        connection is closed does not see the answer.
        """
        sent = 0
        try:
            async with asyncio.timeout(BODY_S):
                async for chunk in request.stream():
                    sent += len(chunk)
                    if sent <= MAX_SENT:
                        self._add(body, chunk)
                    elif sent > MAX_DROPPED:
                        break
        except TimeoutError:
            raise BodyError(408, "the body took too long", connection="close") from None
        except ClientDisconnect:
            raise BodyError(400, "the body was cut off", connection="close") from None

        if sent > MAX_SENT:
            text = f"the body has more than {MAX_SENT >> 20} MiB; send smaller batches"
            raise BodyError(413, text, connection="close")

    def _add(self, body: bytearray, chunk: bytes) -> None:
        if self._held + len(chunk) > MAX_HELD:
            text = "too much is being sent at once"
            raise BodyError(503, text, retry_after="1", connection="close")
        body += chunk
        self._held += len(chunk)


def unpacked(body: bytes | bytearray, encoding: str, most: int = MAX_UNPACKED) -> bytes:
    """A body without its Content-Encoding, at most `most` bytes; raises BodyError."""
    if encoding in ("", "identity"):
        return bytes(body)
    if encoding != "gzip":
        raise BodyError(415, "only gzip is understood as Content-Encoding", accept_encoding="gzip")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(body, most)
    except zlib.error:
        raise BodyError(400, "the body is no gzip, though its headers say so") from None
    if unpacker.unconsumed_tail:
        raise BodyError(413, f"the body unpacks to more than {most >> 10:,} KiB")
    if not unpacker.eof:
        raise BodyError(400, "the body's gzip is cut off")
    if unpacker.unused_data:  # of which nothing would be booked
        raise BodyError(400, "the body's gzip has several parts; send it as one")
    return found
