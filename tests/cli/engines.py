"""Loopback servers that answer as captured engines do, and a configuration that names them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.payloads import payload
from tests.servers.loopback import Connection, Server

VLLM = {
    "/metrics": "vllm/load/metrics.txt",
    "/version": "vllm/load/version.json",
    "/v1/models": "vllm/load/v1_models.json",
}
SGLANG = {
    "/metrics": "sglang/load/metrics.txt",
    "/v1/loads": "sglang/load/v1_loads.json",
    "/v1/models": "sglang/load/v1_models.json",
}
LLAMACPP = {
    "/props": "llamacpp/load/props.json",
    "/slots": "llamacpp/load/slots.json",
    "/v1/models": "llamacpp/load/v1_models.json",
}


@contextmanager
def captured(
    files: Mapping[str, str], later: Mapping[str, bytes] | None = None, **changed: bytes
) -> Iterator[Server]:
    """Serve a kind's captured answers; a keyword such as `metrics=b"..."` replaces one.

    What stands in `later` by path replaces one from the moment it is there.
    """
    pages = {path: payload(name) for path, name in files.items()}
    pages |= {"/" + name: body for name, body in changed.items()}
    with Server(lambda connection: answer(connection, {**pages, **(later or {})})) as server:
        yield server


def answer(connection: Connection, pages: Mapping[str, bytes]) -> bool:
    body = pages.get(connection.asked.path.partition("?")[0])
    status = "404 Not Found" if body is None else "200 OK"
    kind = "application/json" if body and body[:1] in b"[{" else "text/plain"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body or b'')}\r\n\r\n"
    )
    connection.send(head.encode() + (body or b""))
    return True


def configuration(place: Path, *urls: str, more: str = "") -> str:
    """Write a file that names engines and searches for none; returns its path."""
    engines = "".join(f'[[engine]]\nurl = "{url}"\n' for url in urls)
    path = place / "config.toml"
    path.write_text(f"[discovery]\nenabled = false\n{more}\n{engines}")
    return str(path)
