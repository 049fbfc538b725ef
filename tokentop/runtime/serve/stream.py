"""Server-Sent Events: the whole object first, then the newest whenever it has changed."""

import asyncio

from starlette.types import Receive, Scope, Send

from tokentop.runtime.serve.hub import Hub

MAX_STREAMS = 1024
RETRY_MS = 2000  # after which a browser connects again
COMMENT = b": keep-alive\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # else nginx holds events back
]


async def stream(hub: Hub, last_id: str | None, receive: Receive, send: Send) -> None:
    """Send events until the client leaves or the hub closes.

    A client that shows the id of the newest event waits for the next one; any other id, of an
    earlier event or an earlier run, gets the newest at once.
    """
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await _write(send, f"retry: {RETRY_MS}\n\n".encode())
    gone = asyncio.ensure_future(_disconnect(receive))
    hub.clients += 1
    try:
        await _events(hub, last_id, gone, send)
    finally:
        hub.clients -= 1
        gone.cancel()


async def _events(hub: Hub, last_id: str | None, gone: "asyncio.Future[None]", send: Send) -> None:
    beats = hub.beats
    while not (hub.closed or gone.done()):
        await _write(send, b"")  # returns once the client has read: only then is the newest taken
        if hub.latest.id != last_id:
            last_id = hub.latest.id
            await _write(send, hub.latest.event)
        elif hub.beats != beats:
            await _write(send, COMMENT)
        else:
            await _either(hub.waiter(), gone)
            continue
        beats = hub.beats
    await send({"type": "http.response.body", "body": b""})


async def _either(waiter: "asyncio.Future[None]", gone: "asyncio.Future[None]") -> None:
    def wake(_: object) -> None:
        if not waiter.done():
            waiter.set_result(None)

    gone.add_done_callback(wake)
    try:
        await waiter
    finally:
        gone.remove_done_callback(wake)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


def last_event_id(scope: Scope) -> str | None:
    """The id of the last event that a returning client has seen."""
    found = dict(scope["headers"]).get(b"last-event-id")
    return None if found is None else found.decode("latin-1")
