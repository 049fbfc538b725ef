"""Usage sent to a real `tokentop serve`: events a second that were acknowledged, on the disk.

Batches of 50 from 4 connections, as LiteLLM's callback (6 kB an event, as captured), as OTLP spans
in protobuf and as CloudEvents; prints the 99th percentile of an answer, and the memory after all.
Exits 1 where a feed has fewer than 2,000 events a second, or where one acknowledged is missing.

    python -m tests.benchmarks.intake [--batches 100]
"""

import argparse
import http.client
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.cli.command import environment, started
from tests.payloads import payload
from tests.runtime.serve.greeting import port_of
from tokentop.sources.usage.otlp.wire import encoded

LIMIT_PER_S = 2000
BATCH = 50
SENDERS = 4


def litellm(first: int) -> bytes:
    raw = json.loads(payload("usage/litellm/chat_success.json"))
    event = json.dumps({**raw, "litellm_call_id": "call-@@", "id": "chatcmpl-@@"}).encode()
    numbered = (event.replace(b"@@", str(n).encode()) for n in range(first, first + BATCH))
    return b"[" + b",".join(numbered) + b"]"


def cloud_events(first: int) -> bytes:
    return json.dumps([
        {"specversion": "1.0", "type": "request", "id": str(n), "source": "bench", "subject": "ada",
         "data": {"model": "tiny", "prompt_tokens": 20, "completion_tokens": 5}}
        for n in range(first, first + BATCH)
    ]).encode()  # fmt: skip


def spans(first: int) -> bytes:
    """Spans with 12 attributes, a resource and a scope, as an instrumented client has them."""
    start = (time.time_ns()).to_bytes(8, "little")
    every = b"".join(encoded(2, _span(n, start)) for n in range(first, first + BATCH))
    resource = encoded(1, encoded(1, _attribute("service.name", "bench")))
    return encoded(1, resource + encoded(2, encoded(1, encoded(1, b"bench")) + every))


def _span(number: int, start: bytes) -> bytes:
    plain = {f"some.attribute.{n}": "of no interest here" for n in range(7)}
    texts = {**plain, "gen_ai.request.model": "tiny", "gen_ai.response.id": f"r-{number}"}
    body = encoded(1, number.to_bytes(16, "big")) + encoded(2, number.to_bytes(8, "big"))
    body += encoded(5, b"chat tiny") + b"\x39" + start + b"\x41" + start
    body += b"".join(encoded(9, _attribute(key, value)) for key, value in texts.items())
    for key in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
        body += encoded(9, encoded(1, key.encode()) + encoded(2, encoded(3, 20 + number % 900)))
    return body


def _attribute(key: str, value: str) -> bytes:
    return encoded(1, key.encode()) + encoded(2, encoded(1, value.encode()))


FEEDS: dict[str, tuple[str, Callable[[int], bytes], str]] = {
    "LiteLLM": ("/v1/litellm", litellm, "application/json"),
    "OTLP": ("/v1/traces", spans, "application/x-protobuf"),
    "CloudEvents": ("/api/v1/events", cloud_events, "application/json"),
}


def send(url: str, feed: str, bodies: list[bytes], took: list[float]) -> None:
    """One connection that sends batch after batch."""
    path, _, media_type = FEEDS[feed]
    web = http.client.HTTPConnection(urlsplit(url).netloc)
    for body in bodies:
        before = time.perf_counter()
        web.request("POST", path, body, {"content-type": media_type})
        answer = web.getresponse()
        assert answer.status in (200, 204), answer.read()
        answer.read()
        took.append(time.perf_counter() - before)
    web.close()


def measure(url: str, feed: str, batches: int, numbers: Iterator[int]) -> float:
    """Events a second that were acknowledged; all bodies are made before."""
    took: list[float] = []
    make = FEEDS[feed][1]
    bodies = [[make(next(numbers) * BATCH) for _ in range(batches)] for _ in range(SENDERS)]
    senders = [threading.Thread(target=send, args=(url, feed, each, took)) for each in bodies]
    before = time.perf_counter()
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    rate = batches * SENDERS * BATCH / (time.perf_counter() - before)
    p99 = sorted(took)[int(len(took) * 0.99)]
    print(
        f"{feed:<12} {rate:8,.0f} events a second (limit {LIMIT_PER_S:,}), p99 {p99 * 1e3:.0f} ms"
    )
    return rate


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=100, help="of each sender")
    batches = parser.parse_args().batches
    numbers = count(1)
    with TemporaryDirectory() as folder:
        ledger, config = Path(folder) / "ledger.sqlite3", Path(folder) / "config.toml"
        config.write_text(f'[ledger]\nintake = true\npath = "{ledger}"\n')
        words = ("serve", "--port", "0", "--no-gpus", "--config", str(config))
        with started(*words, env=environment()) as process:
            url = f"http://127.0.0.1:{port_of(process)}"
            rates = [measure(url, feed, batches, numbers) for feed in FEEDS]
            print(f"memory after that: {resident_mib(process.pid):.0f} MiB")
        db = sqlite3.connect(ledger)
        (booked,) = db.execute("SELECT count(*) FROM entries").fetchone()
        db.close()
        sent = len(FEEDS) * SENDERS * batches * BATCH
        size = ledger.stat().st_size / booked
        print(f"acknowledged {sent:,}, booked {booked:,}, {size:.0f} bytes each")
    return 0 if min(rates) >= LIMIT_PER_S and booked == sent else 1


if __name__ == "__main__":
    sys.exit(main())
