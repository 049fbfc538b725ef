"""/v1/authorize of `tokentop serve`, quiet and while it books events, beside a bare handler.

The bare handler answers 200 without a body under plain uvicorn, and reads and drops the same
events, which a third process sends. Both are asked 200 times a second on one connection, in turn;
of each the quietest round counts, since whatever else runs on the machine only adds. The limit is
2 ms at the 99th percentile more than the bare handler needs.

    python -m tests.benchmarks.authorize [--seconds 5] [--events 2000]
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import PIPE, Popen

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.cli.command import TOKENTOP, environment
from tests.runtime.serve.greeting import port_of

ASK = (
    b"GET /v1/authorize HTTP/1.1\r\nhost: localhost\r\nx-tokentop-user: user7\r\n"
    b"x-tokentop-project: project7\r\nx-tokentop-team: blue\r\n\r\n"
)
A_SECOND = 200
BATCH = 50
ROUNDS = 3
PROJECTS = 20
LIMIT_MS = 2.0


@contextmanager
def ours(folder: Path) -> Iterator[int]:
    """The installed command with a budget for each project and a throttle; yields its port."""
    config = folder / "config.toml"
    budgets = "".join(
        f'[[budget]]\nproject = "project{number}"\nunit = "tokens"\nlimit = 1e12\n'
        "stop = true\nthrottle = 6\n"
        for number in range(PROJECTS)
    )
    ledger = f'[ledger]\npath = "{folder}/ledger.sqlite3"\nintake = true\n'
    config.write_text(f"{ledger}{budgets}")
    words = ("serve", "--port", "0", "--no-gpus", "--config", str(config))
    with _running([TOKENTOP, *words], environment(XDG_STATE_HOME=str(folder))) as process:
        yield port_of(process)


@contextmanager
def bare(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", __spec__.name, "--bare"]
    with _running(command, environment(XDG_STATE_HOME=str(folder))) as process:
        yield port_of(process)


@contextmanager
def _running(command: list[str], env: dict[str, str]) -> "Iterator[Popen[str]]":
    with Popen(command, env=env, stderr=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def serve_bare() -> None:
    """The child process: 200 and nothing else, whatever is asked."""

    async def handler(request: Request) -> Response:
        await request.body()
        return Response()

    listener = socket.create_server(("127.0.0.1", 0))
    sys.stderr.write(f"serving on http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stderr.flush()
    app = Starlette(routes=[Route("/{path:path}", handler, methods=["GET", "POST"])])
    config = uvicorn.Config(app, http="h11", log_config=None, access_log=False)
    asyncio.run(uvicorn.Server(config).serve([listener]))


async def asked(port: int, seconds: float) -> list[float]:
    """The seconds of each question; one that comes late puts off the ones after it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken, began = [], time.perf_counter()
    for number in range(int(seconds * A_SECOND)):
        await asyncio.sleep(began + number / A_SECOND - time.perf_counter())
        sent = time.perf_counter()
        writer.write(ASK)
        head = await reader.readuntil(b"\r\n\r\n")
        taken.append(time.perf_counter() - sent)
        assert head.startswith(b"HTTP/1.1 200 "), head
    writer.close()
    return taken


async def send(port: int, a_second: int, seconds: float) -> int:
    """Send so many events a second, in batches that are acknowledged; returns how many were."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    for number in count():
        if time.perf_counter() - began > seconds:
            return number * BATCH
        await asyncio.sleep(began + number * BATCH / a_second - time.perf_counter())
        body = json.dumps([_event(number * BATCH + each) for each in range(BATCH)]).encode()
        head = b"POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        status = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        assert status in (b"200", b"204"), status
    raise AssertionError


def _event(number: int) -> dict[str, object]:
    data = {"project": f"project{number % PROJECTS}", "team": "blue", "model": "tiny",
            "prompt_tokens": 900, "completion_tokens": 100}  # fmt: skip
    return {"specversion": "1.0", "id": str(number), "source": f"bench-{time.time_ns()}",
            "subject": f"user{number % 100}", "data": data}  # fmt: skip


async def measured(port: int, seconds: float, events: int) -> tuple[float, float, float]:
    """p50 and p99 in ms, and events booked a second."""
    await asked(port, 0.5)
    words = ("--send", str(port), "--events", str(events), "--seconds", str(seconds))
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, *words, stdout=PIPE
    )
    assert load.stdout is not None
    await load.stdout.readline()  # it is ready
    taken = sorted(await asked(port, seconds))
    booked = int(await load.stdout.readline() or 0)
    await load.wait()
    return taken[len(taken) // 2] * 1e3, taken[int(0.99 * len(taken))] * 1e3, booked / seconds


async def compared(seconds: float, events: int) -> None:
    for load in (0, events):
        rows: dict[str, list[tuple[float, float, float]]] = {"bare": [], "ours": []}
        for _ in range(ROUNDS):
            for kind, start in (("bare", bare), ("ours", ours)):
                with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as port:
                    rows[kind].append(await measured(port, seconds, load))
        (p50, p99, rate), (bare50, bare99, _) = (
            min(rows[kind], key=lambda one: one[1]) for kind in ("ours", "bare")
        )
        print(
            f"{load:5} events/s sent, {rate:5.0f} booked: p50 {p50:5.2f} ms, p99 {p99:5.2f} ms "
            f"(bare {bare50:.2f} and {bare99:.2f}); {p99 - bare99:+.2f} ms at p99, limit {LIMIT_MS}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--send", type=int, help="the child process that sends to this port")
    given = parser.parse_args()
    if given.send:
        print("ready", flush=True)
        if given.events:
            print(asyncio.run(send(given.send, given.events, given.seconds)))
        return
    if given.bare:
        serve_bare()
    else:
        asyncio.run(compared(given.seconds, given.events))


if __name__ == "__main__":
    main()
