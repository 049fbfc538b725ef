"""HTTP/1.1 answers read from a blocking socket, with a limit on everything a server may send."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic
from typing import NoReturn

from tokentop.transport.http.failures import RequestFailed
from tokentop.transport.http.messages import (
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    AnswerHead,
    Request,
    header_table,
    headers_too_large,
    no_answer,
    not_http,
    too_large,
)

_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00\r\n]*)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_MAX_CHUNK_LINE = 4096


class Http1Connection:
    """One connection that has been asked `request`; every wait ends at `deadline` (monotonic).

    Methods raise TimeoutError, ConnectionError, or RequestFailed with what the server did wrong.
    """

    def __init__(self, sock: socket.socket, request: Request, deadline: float) -> None:
        self._sock = sock
        self._request = request
        self._deadline = deadline
        self._buffer = bytearray()
        self._head_bytes = 0

    def send(self, data: bytes) -> None:
        """Send the request; a peer that has answered and gone without reading it is still read."""
        self._sock.settimeout(remaining(self._deadline))
        with suppress(ConnectionError):
            self._sock.sendall(data)

    def head(self) -> AnswerHead:
        """Status and headers of the final answer; interim 1xx answers are read over."""
        while True:
            answer = AnswerHead(self._status(), header_table(self._headers()))
            if answer.status >= 200:
                return answer

    def body(self, answer: AnswerHead) -> bytes:
        """The whole body of an answer to a GET, framed as RFC 9112 section 6.3 says."""
        if answer.status in (204, 304):
            return b""
        encoding = answer.headers.get("transfer-encoding")
        if encoding is not None:
            if encoding.lower() != "chunked":
                self._not_http()
            return self._chunked()
        length = answer.length()
        return self._to_the_end() if length is None else self._exactly(length)

    def _status(self) -> int:
        while len(self._buffer) < 5 and b"HTTP/".startswith(self._buffer):
            try:
                self._more()
            except ConnectionError:
                raise RequestFailed(no_answer(self._request)) from None
        if not self._buffer.startswith(b"HTTP/"):
            self._not_http()  # at once, as such a server may never send a line's end
        match = _STATUS.fullmatch(self._header_line())
        if match is None or match[1] == b"101":
            self._not_http()
        return int(match[1])

    def _headers(self) -> Iterator[tuple[bytes, bytes]]:
        for _ in range(MAX_HEADERS + 1):
            line = self._header_line()
            if not line:
                return
            match = _HEADER.fullmatch(line)
            if match is None:
                self._not_http()
            yield match[1], match[2]
        raise RequestFailed(headers_too_large(self._request))

    def _header_line(self) -> bytes:
        line = self._line(MAX_HEADER_BYTES - self._head_bytes)
        if line is None:
            raise RequestFailed(headers_too_large(self._request))
        self._head_bytes += len(line) + 2
        return line

    def _line(self, limit: int) -> bytes | None:
        """The next line without its end, or None where it is longer than `limit`."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                return None
            self._more()
        if end > limit:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _chunked(self) -> bytes:
        body = bytearray()
        while (size := self._chunk_size()) > 0:
            if len(body) + size > self._request.max_bytes:
                raise RequestFailed(too_large(self._request))
            body += self._exactly(size)
            if self._line(2) != b"":
                self._not_http()
        for _ in self._headers():  # trailers, which are not used
            pass
        return bytes(body)

    def _chunk_size(self) -> int:
        match = _CHUNK.fullmatch(self._line(_MAX_CHUNK_LINE) or b"")
        if match is None:
            self._not_http()
        return int(match[1], 16)

    def _exactly(self, size: int) -> bytes:
        if size > self._request.max_bytes:
            raise RequestFailed(too_large(self._request))
        while len(self._buffer) < size:
            self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _to_the_end(self) -> bytes:
        while len(self._buffer) <= self._request.max_bytes:
            data = self._receive()
            if not data:
                return bytes(self._buffer)
            self._buffer += data
        raise RequestFailed(too_large(self._request))

    def _more(self) -> None:
        data = self._receive()
        if not data:
            raise ConnectionResetError
        self._buffer += data

    def _receive(self) -> bytes:
        self._sock.settimeout(remaining(self._deadline))
        return self._sock.recv(65536)

    def _not_http(self) -> NoReturn:
        raise RequestFailed(not_http(self._request))


def remaining(deadline: float) -> float:
    """Seconds left until a monotonic deadline; raises TimeoutError where none is."""
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
