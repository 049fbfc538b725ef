"""`tokentop serve` under 1, 100 and 1,000 stream clients, against a bare Starlette handler.

The bare handler answers with the same bytes under plain uvicorn, alone, in the same run. Limits: at
least half its requests a second at each number of clients; under 50 kB of memory a stream client.
A snapshot is published every second, four times as often as the default interval has it.

    python -m tests.benchmarks.serve [--seconds 5]
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests import examples
from tests.benchmarks.process import median
from tokentop.domain.snapshot_json import dumps
from tokentop.runtime.serve.app import Documents, Health, application
from tokentop.runtime.serve.guard import Rules
from tokentop.runtime.serve.hub import Formats, Hub
from tokentop.runtime.serve.server import WebServer, uvicorn_config
from tokentop.transport.http.listen import listen
from tokentop.views.metrics import openmetrics, prometheus

API = "/api/system/token-economy"
CLIENTS = (1, 100, 1000)
CONNECTIONS = 8  # that request one object after another
ROUNDS = 3  # of each, in turn
PUBLISH_S = 1.0


async def served(kind: str, listener: object) -> None:
    """The child process: the service, or the bare handler, until it is killed."""
    snapshot = examples.moderate()
    if kind == "bare":
        body = dumps(snapshot).encode()

        async def bare(_: Request) -> Response:
            return Response(body, media_type="application/json")

        app = Starlette(routes=[Route(API, bare)])
        config = uvicorn.Config(app, http="h11", log_config=None, access_log=False)
        await uvicorn.Server(config).serve([listener])  # type: ignore[list-item]
        return
    hub = Hub(Formats(dumps, prometheus, openmetrics))
    hub.publish(snapshot, 0.0)
    health = Health(time.monotonic, lambda: 4.0)
    rules = Rules(frozenset({"localhost"}))
    app = application(hub, Documents("{}", "{}"), health, rules, print)
    publishing = asyncio.create_task(_publish(hub))
    await WebServer(uvicorn_config(app), hub).serve([listener])  # type: ignore[list-item]
    publishing.cancel()


async def _publish(hub: Hub) -> None:
    number = 0
    while True:
        await asyncio.sleep(PUBLISH_S)
        number += 1
        hub.publish(hub.latest.snapshot._replace(host=f"{number}"), time.monotonic())


@asynccontextmanager
async def process(kind: str) -> AsyncIterator[tuple[int, int]]:
    """A process of its own that serves; yields (port, process id)."""
    (listener,) = listen("127.0.0.1", 0)
    pid = os.fork()
    if pid == 0:
        asyncio.set_event_loop(None)
        os.execv(sys.executable, [sys.executable, "-m", __spec__.name, "--child", kind,
                                  "--fd", str(_inherited(listener))])  # fmt: skip
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield port, pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)  # noqa: ASYNC222  # killed: it ends at once


def _inherited(listener: object) -> int:
    number = int(listener.fileno())  # type: ignore[attr-defined]
    copy = os.dup(number)
    os.set_inheritable(copy, True)
    return copy


async def requests(port: int, seconds: float) -> list[float]:
    """The seconds of each request, from CONNECTIONS connections at once."""
    until = time.perf_counter() + seconds
    each = await asyncio.gather(*(_requests(port, until) for _ in range(CONNECTIONS)))
    return [taken for one in each for taken in one]


async def _requests(port: int, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    while (began := time.perf_counter()) < until:
        writer.write(b"GET %s HTTP/1.1\r\nhost: localhost\r\n\r\n" % API.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        taken.append(time.perf_counter() - began)
    writer.close()
    return taken


@asynccontextmanager
async def streams(port: int, count: int) -> AsyncIterator[None]:
    """So many stream clients that read all they are sent."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=65536)
            stack.callback(writer.close)
            writer.write(b"GET %s/stream HTTP/1.1\r\nhost: localhost\r\n\r\n" % API.encode())
            await reader.readuntil(b"data: ")
            task = asyncio.create_task(_drain(reader))
            stack.callback(task.cancel)
        yield


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


def memory_kb(pid: int) -> int:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        (line,) = [line for line in file if line.startswith("VmRSS")]
    return int(line.split()[1])


async def measured(kind: str, clients: int, seconds: float) -> tuple[float, float, float]:
    """(requests/s, p99 in ms, kB a stream client)."""
    async with process(kind) as (port, pid):
        await requests(port, 0.3)
        before = memory_kb(pid)
        async with streams(port, clients):
            per_client = (memory_kb(pid) - before) / max(1, clients)
            taken = sorted(await requests(port, seconds))
    return len(taken) / seconds, taken[int(0.99 * len(taken))] * 1e3, per_client


async def compared(seconds: float) -> None:
    """Print each load in turn with the bare handler, and the ratio of each pair."""
    for clients in CLIENTS:
        ours, bare = [], []
        for _ in range(ROUNDS):
            bare.append(await measured("bare", 0, seconds))
            ours.append(await measured("ours", clients, seconds))
        rate, p99, kilobytes = (median([one[i] for one in ours]) for i in range(3))
        ratio = median([one[0] / other[0] for one, other in zip(ours, bare, strict=True)])
        slower = median([one[1] for one in bare])
        print(
            f"{clients:5} streams: {rate:6.0f} requests/s  ×{ratio:.2f} of the bare handler "
            f"(at least 0.5)   p99 {p99:6.1f} ms (bare {slower:.1f})   "
            f"{kilobytes:5.1f} kB a client (under 50)"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--child")
    parser.add_argument("--fd", type=int)
    given = parser.parse_args()
    if given.child:
        import socket

        asyncio.run(served(given.child, socket.socket(fileno=given.fd)))
    else:
        asyncio.run(compared(given.seconds))


if __name__ == "__main__":
    main()
