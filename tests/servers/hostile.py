"""What a hostile server sends to make its reader work, wait or swell: each makes one Behaviour."""

import json
from collections.abc import Callable

from tests.servers.behaviours import head, ok
from tests.servers.loopback import Behaviour, Connection

MIB = 2**20
_BLOCK = 65536


def objects(size: int = 2 * MIB) -> bytes:
    """A JSON list of as many empty objects as fit."""
    return b"[" + b"{}," * ((size - 4) // 3) + b"{}]"


def series(size: int = 2 * MIB, name: str = "vllm:num_requests_running") -> bytes:
    """A metrics page of as many short samples of one wanted series as fit, each with a label."""
    rows: list[bytes] = []
    length = 0
    while length < size - 64:
        rows.append(f'{name}{{a="{len(rows)}"}} 1\n'.encode())
        length += len(rows[-1])
    return b"".join(rows)


def blank_lines(size: int = 2 * MIB) -> bytes:
    """A metrics page of nothing but line ends."""
    return b"\n" * size


def unwanted(size: int = 2 * MIB) -> bytes:
    """A metrics page of samples that nothing reads."""
    return b"a 1\n" * (size // 4)


def escapes(size: int = 2 * MIB) -> bytes:
    """One JSON text made of escapes."""
    return b'"' + b"\\u2028" * ((size - 2) // 6) + b'"'


def nested(depth: int = 100_000) -> bytes:
    """JSON brackets in brackets."""
    return b"[" * depth + b"]" * depth


def names(count: int = 40_000) -> bytes:
    """An Ollama with so many models loaded."""
    models = [{"name": f"model-{n}", "size_vram": n} for n in range(count)]
    return json.dumps({"models": models}).encode()


def vector(size: int = 16 * MIB) -> bytes:
    """A Prometheus answer of small samples: one engine each."""
    rows: list[bytes] = []
    length = 0
    while length < size - 256:
        labels = {"__name__": "vllm:num_requests_running", "instance": f"n{len(rows)}:8000"}
        rows.append(json.dumps({"metric": labels, "value": [1.8e9, "1"]}).encode())
        length += len(rows[-1]) + 1
    return b'{"status":"success","data":{"resultType":"vector","result":[%s]}}' % b",".join(rows)


def page(body: bytes) -> Behaviour:
    """That body to every request, as JSON or as a metrics page."""
    kind = "application/json" if body[:1] in b"[{" else "text/plain"
    return ok(body, content_type=kind)


def repeated(first: bytes, block: bytes) -> Behaviour:
    """`first`, then `block` for ever, as fast as it is read."""
    many = block * (_BLOCK // len(block))

    def behave(connection: Connection) -> bool:
        connection.send(first)
        while True:
            connection.send(many)

    return behave


def one_byte_chunks() -> Behaviour:
    """A body without end in chunks of one byte."""
    return repeated(head(transfer_encoding="chunked", content_type="text/plain"), b"1\r\na\r\n")


def endless_continue() -> Behaviour:
    """100 Continue for ever."""
    return repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_trailers() -> Behaviour:
    """A body that is complete but for its trailers."""
    return repeated(head(transfer_encoding="chunked") + b"0\r\n", b"A: b\r\n")


def tiny_segments(size: int = 2 * MIB) -> Behaviour:
    """A body of that size, a few bytes at a time."""
    start = head(content_length=size, content_type="text/plain")

    def behave(connection: Connection) -> bool:
        connection.send(start)
        while True:
            connection.send(b"a 1\n")

    return behave


ATTACKS: dict[str, Callable[[], Behaviour]] = {
    "2 MiB of {}": lambda: page(objects()),
    "2 MiB of series": lambda: page(series()),
    "2 MiB of line ends": lambda: page(blank_lines()),
    "2 MiB of other series": lambda: page(unwanted()),
    "2 MiB of escapes": lambda: page(escapes()),
    "nested brackets": lambda: page(nested()),
    "one-byte chunks": one_byte_chunks,
    "endless 100 Continue": endless_continue,
    "endless trailers": endless_trailers,
    "tiny segments": tiny_segments,
    "40,000 names": lambda: page(names()),
}
"""By name; each is made when it is used, for some are large."""
