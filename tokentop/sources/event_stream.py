"""Server-Sent Events, as the HTML standard has them: bytes as they arrive -> events."""

import re

from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import BadData

_LINE = re.compile(rb"\r\n|\n|\r")
_ID = re.compile(rb"[!-~]{1,200}")  # what a header can carry back


class ServerEvent(NamedTuple):
    """One event; `id` is the newest that was sent, None where none was, or an odd one."""

    id: str | None
    data: bytes


class EventParser:
    """Collects lines into events. `most` bounds the bytes of one event."""

    def __init__(self, most: int) -> None:
        self.id: str | None = None
        self._most = most
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that this piece completes; raises BadData where one is too long."""
        self._rest += data
        if len(self._rest) > self._most:
            raise BadData("sent an event that is too long")
        if b"\r" not in self._rest:
            *lines, self._rest = self._rest.split(b"\n")
        elif data[-1:] == b"\r":
            return []  # it may be half of a line's end
        else:
            *lines, self._rest = _LINE.split(self._rest)
        return [event for event in map(self._line, lines) if event is not None]

    def _line(self, line: bytes) -> ServerEvent | None:
        """The event that ends with this line, if one does."""
        if not line:
            data, self._data, self._size = b"\n".join(self._data), [], 0
            return ServerEvent(self.id, data) if data else None
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value)
            if self._size > self._most:
                raise BadData("sent an event that is too long")
            self._data.append(value)
        elif name == b"id":
            self.id = value.decode() if _ID.fullmatch(value) else None
        return None
