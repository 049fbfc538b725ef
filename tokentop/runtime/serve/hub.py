"""The latest snapshot as clients get it, and the wake-up of those that wait for the next one."""

import asyncio
import gzip
import hashlib
import secrets
from collections.abc import Callable
from functools import cached_property

from tokentop.domain.snapshot import Snapshot

AT_ONCE = 32  # waiting clients woken before other requests get their turn
LEVEL = 5  # of gzip: 2 kB become 0.9 kB in 0.1 ms
_NEVER = Snapshot()

Formatter = Callable[[Snapshot], str]


class Publication:
    """One snapshot, encoded once for all clients; the rarer forms when first asked for.

    `id` is unique over restarts. The ETag is weak: the same object may go out compressed.
    """

    def __init__(self, snapshot: Snapshot, id_: str, body: bytes, formats: "Formats") -> None:
        self.snapshot = snapshot
        self.id = id_
        self.body = body
        self.etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        self._formats = formats

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.body, LEVEL, mtime=0)

    @cached_property
    def event(self) -> bytes:
        """The object as one Server-Sent Event; it has no line break of its own."""
        return b"id: %s\ndata: %s\n\n" % (self.id.encode(), self.body)

    @cached_property
    def prometheus(self) -> bytes:
        return self._formats.prometheus(self.snapshot).encode()

    @cached_property
    def openmetrics(self) -> bytes:
        return self._formats.openmetrics(self.snapshot).encode()


class Formats:
    """What turns a snapshot into each text; this room draws nothing itself."""

    def __init__(self, json: Formatter, prometheus: Formatter, openmetrics: Formatter) -> None:
        self.json = json
        self.prometheus = prometheus
        self.openmetrics = openmetrics


class Hub:
    """Holds the newest publication only; whoever waits is woken and takes it when ready.

    Nothing is queued for a client: one that reads slowly skips what came in between.
    """

    def __init__(self, formats: Formats) -> None:
        self._formats = formats
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._latest: Publication | None = None
        self._shown = _NEVER
        self._waiting: list[asyncio.Future[None]] = []
        self.published_at = float("-inf")
        self.beats = 0
        self.clients = 0
        self.closed = False

    @property
    def latest(self) -> Publication:
        assert self._latest is not None, "publish comes before serving"
        return self._latest

    def publish(self, snapshot: Snapshot, now: float) -> bool:
        """Take the snapshot of monotonic `now`; whether it differs in more than its time."""
        self.published_at = now
        if self._latest is not None and snapshot._replace(at="") == self._shown:
            return False
        self._shown = snapshot._replace(at="")
        self._number += 1
        body = self._formats.json(snapshot).encode("ascii")
        identity = f"{self._boot}-{self._number}"
        self._latest = Publication(snapshot, identity, body, self._formats)
        self._wake()
        return True

    def beat(self) -> None:
        """Let every waiting client send a comment, which keeps proxies from closing."""
        self.beats += 1
        self._wake()

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        self._wake()

    def waiter(self) -> "asyncio.Future[None]":
        """A future that is done at the next publication, beat or close."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return waiter

    def _wake(self) -> None:
        woken, self._waiting = self._waiting, []
        if woken:
            _wake_some(woken, 0)


def _wake_some(waiting: list["asyncio.Future[None]"], start: int) -> None:
    """Wake a few and leave the rest to the next turn of the loop, so that requests get through."""
    for waiter in waiting[start : start + AT_ONCE]:
        if not waiter.done():
            waiter.set_result(None)
    if start + AT_ONCE < len(waiting):
        asyncio.get_running_loop().call_soon(_wake_some, waiting, start + AT_ONCE)
