"""A body that nothing reads, on a connection that closes with the answer.

Where bytes arrive that no program reads any more, TCP resets the connection, and the client may
never see the answer: what it still sends is read and dropped first, within bounds.
"""

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive, Send

MOST_BYTES = 64 * 1024
LINGER_S = 0.5


def lingering(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """The same two, of which `send` reads the rest of the body before a closing answer."""
    ended = False

    async def received() -> Message:
        nonlocal ended
        message = await receive()
        ended = not message.get("more_body", False)
        return message

    async def sent(message: Message) -> None:
        if not ended and _closes(message):
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await _dropped()
        await send(message)

    async def _dropped() -> None:
        left = MOST_BYTES
        while not ended and left > 0:
            left -= len((await received()).get("body", b""))

    return received, sent


def _closes(message: Message) -> bool:
    return message["type"] == "http.response.start" and any(
        name.lower() == b"connection" and value.lower() == b"close"
        for name, value in message.get("headers", ())
    )
