"""HTTP/1.1 answers read from bytes as they arrive, with a limit on everything a server may send.

No I/O: whoever holds the socket feeds the reader.
"""

import re
from collections.abc import Generator

from tokentop.domain.readings import Failure
from tokentop.light_typing import NoReturn, TypeVar
from tokentop.transport.http.budget import Budget, Meter
from tokentop.transport.http.failures import RequestFailed
from tokentop.transport.http.messages import (
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    REDIRECTS,
    AnswerHead,
    Reply,
    Request,
    header_table,
    headers_too_large,
    no_answer,
    not_http,
    refusal,
    too_large,
)

T = TypeVar("T")
Steps = Generator[None, None, T]  # resumed whenever more has arrived

_STATUS = re.compile(rb"HTTP/1\.([0-9]) ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00\r\n]*)")
_CHUNK = rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?"  # compiled with the first chunk
_MAX_CHUNK_LINE = 4096


class Http1Reader:
    """Reads the one answer to `request`.

    `result` is there once the answer is complete: the reply (without latency), the failure, or
    the Location that it redirects to. `feed` and `end` raise ConnectionError, or RequestFailed
    with what the server did wrong. `reusable`: the connection may carry another request.
    """

    def __init__(self, request: Request, budget: Budget) -> None:
        self.result: Reply | Failure | str | None = None
        self.reusable = False
        self.began = False
        self._request = request
        self._meter = Meter(budget)
        self._buffer = bytearray()
        self._head_bytes = 0
        self._ended = False
        self._keeps_alive = False
        self._steps = self._answer()
        next(self._steps)

    def feed(self, data: bytes) -> None:
        """Take what one read brought."""
        self.began = True
        self._meter.read(data)
        self._buffer += data
        self._go_on()

    def end(self) -> None:
        """Take the end of the connection."""
        self._ended = True
        self._go_on()

    def close(self) -> None:
        """Nothing more is read: what has arrived is dropped now, not when garbage is collected."""
        self._steps.close()
        self._buffer = bytearray()

    def _go_on(self) -> None:
        try:
            next(self._steps)
        except StopIteration as done:
            self.result = done.value
            self.reusable = self._keeps_alive and not self._ended and not self._buffer

    def _answer(self) -> Steps[Reply | Failure | str]:
        yield
        head = yield from self._final_head()
        if head.status in REDIRECTS and "location" in head.headers:
            self._pass_over(head)
            return head.headers["location"]
        failure = refusal(head, self._request)
        if failure is not None:
            self._pass_over(head)
            return failure
        return head.reply((yield from self._body(head)), 0.0)

    def _final_head(self) -> Steps[AnswerHead]:
        """Status and headers of the final answer; interim 1xx answers are read over."""
        interim = 0
        while True:
            head = AnswerHead((yield from self._status()), (yield from self._headers()))
            if head.status >= 200:
                return head
            interim += 1
            self._meter.interim(interim)

    def _pass_over(self, head: AnswerHead) -> None:
        """The body of an answer that is not used is dropped if it is here, never waited for."""
        length = head.length()
        if length is None or not 0 <= length <= len(self._buffer):
            self._keeps_alive = False
        else:
            del self._buffer[:length]

    def _body(self, head: AnswerHead) -> Steps[bytes]:
        """The whole body of an answer to a GET, framed as RFC 9112 section 6.3 says."""
        if head.status in (204, 304):
            return b""
        encoding = head.headers.get("transfer-encoding")
        if encoding is not None:
            if encoding.lower() != "chunked":
                self._not_http()
            return (yield from self._chunked())
        length = head.length()
        if length is None:
            return (yield from self._to_the_end())
        return (yield from self._exactly(length))

    def _status(self) -> Steps[int]:
        while len(self._buffer) < 5 and b"HTTP/".startswith(self._buffer):
            if self._ended:
                raise RequestFailed(no_answer(self._request))
            yield
        if not self._buffer.startswith(b"HTTP/"):
            self._not_http()  # at once, as such a server may never send a line's end
        match = _STATUS.fullmatch((yield from self._header_line()))
        if match is None or match[2] == b"101":
            self._not_http()
        self._keeps_alive = match[1] == b"1"
        return int(match[2])

    def _headers(self) -> Steps[dict[str, str]]:
        pairs: list[tuple[bytes, bytes]] = []
        while line := (yield from self._header_line()):
            match = _HEADER.fullmatch(line)
            if match is None:
                self._not_http()
            pairs.append((match[1], match[2]))
            if len(pairs) > MAX_HEADERS:
                raise RequestFailed(headers_too_large(self._request))
        headers = header_table(pairs)
        if "close" in headers.get("connection", "").lower():
            self._keeps_alive = False
        return headers

    def _header_line(self) -> Steps[bytes]:
        self._meter.event()
        line = yield from self._line(MAX_HEADER_BYTES - self._head_bytes)
        if line is None:
            raise RequestFailed(headers_too_large(self._request))
        self._head_bytes += len(line) + 2
        return line

    def _line(self, limit: int) -> Steps[bytes | None]:
        """The next line without its end, or None where it is longer than `limit`."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                return None
            yield from self._more()
        if end > limit:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _chunked(self) -> Steps[bytes]:
        body = bytearray()
        while (size := (yield from self._chunk_size())) > 0:
            if len(body) + size > self._request.max_bytes:
                raise RequestFailed(too_large(self._request))
            body += yield from self._exactly(size)
            if (yield from self._line(2)) != b"":
                self._not_http()
        yield from self._headers()  # trailers, which are not used
        return bytes(body)

    def _chunk_size(self) -> Steps[int]:
        self._meter.event()
        match = re.fullmatch(_CHUNK, (yield from self._line(_MAX_CHUNK_LINE)) or b"")
        if match is None:
            self._not_http()
        return int(match[1], 16)

    def _exactly(self, size: int) -> Steps[bytes]:
        if size > self._request.max_bytes:
            raise RequestFailed(too_large(self._request))
        while len(self._buffer) < size:
            yield from self._more()
        with memoryview(self._buffer) as seen:
            data = bytes(seen[:size])
        del self._buffer[:size]
        return data

    def _to_the_end(self) -> Steps[bytes]:
        while not self._ended:
            if len(self._buffer) > self._request.max_bytes:
                raise RequestFailed(too_large(self._request))
            yield
        if len(self._buffer) > self._request.max_bytes:
            raise RequestFailed(too_large(self._request))
        return bytes(self._buffer)

    def _more(self) -> Steps[None]:
        if self._ended:
            raise ConnectionResetError
        yield

    def _not_http(self) -> NoReturn:
        raise RequestFailed(not_http(self._request))
