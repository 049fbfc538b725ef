"""Loopback engines in a process of their own, with captured answers whose counters move.

Each has a model of its own, and so label sets that no other has.

python -m tests.benchmarks.farm vllm sglang ... prints their URLs and serves until killed; a kind
of `hanging` accepts and sends nothing.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from tests.cli.engines import LLAMACPP, SGLANG, VLLM
from tests.payloads import payload
from tests.servers.behaviours import hanging
from tests.servers.loopback import Behaviour, Connection, Server

KINDS = {"vllm": VLLM, "sglang": SGLANG, "llamacpp": LLAMACPP}
MOVING = ("_total", "_bucket", "_sum", "_count")
GROWTH_S = 300.0  # counters double in so many seconds
MODEL = "tiny-llama"  # in the captured answers
GAUGES = ("num_requests_running", "num_running_reqs")


def moving(page: bytes) -> Callable[[float], bytes]:
    """The page at a second: every counter and bucket grown alike, the running requests swinging."""
    rows: list[tuple[str, float]] = []
    for line in page.decode().splitlines():
        name, _, number = line.rpartition(" ")
        metric = name.partition("{")[0]
        if metric.endswith(GAUGES):
            rows.append((name, -1.0))
        elif metric.endswith(MOVING) and not line.startswith("#") and float(number):
            rows.append((name, float(number)))
        else:
            rows.append((line, 0.0))

    def at(second: float) -> bytes:
        grown = 1.0 + second / GROWTH_S
        running = int(second / 4.0) % 7 + 1
        return "".join(
            f"{name} {running if value < 0 else _grown(value, grown)}\n" if value else f"{name}\n"
            for name, value in rows
        ).encode()

    return at


def _grown(value: float, factor: float) -> float:
    """Counts stay whole, as an engine's are."""
    return value * factor if value % 1 else value * factor // 1


def engine(kind: str, offset: float, model: str = MODEL) -> Behaviour:
    """One engine of a kind; `offset` seconds keep it from moving in step with the others."""
    if kind == "hanging":
        return hanging()
    pages = {
        path: payload(name).replace(MODEL.encode(), model.encode())
        for path, name in KINDS[kind].items()
    }
    metrics = moving(pages["/metrics"]) if "/metrics" in pages else None
    began = time.monotonic()

    def answer(connection: Connection) -> bool:
        path = connection.asked.path.partition("?")[0]
        body = pages.get(path)
        if path == "/metrics" and metrics is not None:
            body = metrics(time.monotonic() - began + offset)
        kind = "application/json" if body and body[:1] in b"[{" else "text/plain"
        head = f"HTTP/1.1 {'404 Not Found' if body is None else '200 OK'}\r\nContent-Type: {kind}"
        length = f"Content-Length: {len(body or b'')}\r\n\r\n"
        connection.send(f"{head}\r\n{length}".encode() + (body or b""))
        return True

    return answer


def main(kinds: list[str]) -> None:
    with ExitStack() as stack:
        engines = [engine(kind, 3.0 * n, f"{MODEL}-{n}") for n, kind in enumerate(kinds)]
        servers = [stack.enter_context(Server(each)) for each in engines]
        print(json.dumps([server.url for server in servers]), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
