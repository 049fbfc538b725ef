"""A fleet of N engines through a real Prometheus: what one poll costs us, it, and the network.

python -m tests.benchmarks.fleet --prometheus /path/to/prometheus [--engines 500] [--seconds 5]
"""

import argparse
import contextlib
import os
import resource
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.polls import driven
from tests.servers.fleet_exporter import Exporter
from tokentop.collect.prometheus import PAUSE_PER_ENGINE_S
from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.readings import Failure
from tokentop.sources.prometheus.fleet import MAX_BYTES, Fleet
from tokentop.transport.http.client_blocking import fetch_all
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import steps


@contextlib.contextmanager
def prometheus(program: str, config: str) -> Iterator[tuple[str, int]]:
    """(URL, process id) of a Prometheus that has that configuration, while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "prometheus.yml").write_text(config)
        process = subprocess.Popen(
            [program, f"--config.file={folder}/prometheus.yml", f"--web.listen-address={address}",
             f"--storage.tsdb.path={folder}/data"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        try:
            _wait_for(f"http://{address}/-/ready")
            yield f"http://{address}", process.pid
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str) -> None:
    for _ in range(60):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.5)
    raise SystemExit(f"{url} did not get ready")


def cpu_of(pid: int) -> float:
    """CPU seconds that another process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter:
    """Polls and keeps what each poll cost."""

    def __init__(self, url: str) -> None:
        self.fleet = Fleet("cluster")
        self.sizes: list[int] = []
        self._base = Request(url, timeout_s=10.0, max_bytes=MAX_BYTES)

    def poll(self) -> FleetReading:
        found = driven(steps(self.fleet.poll(time.monotonic()), self._base), self._fetch)
        if not isinstance(found, FleetReading):
            raise SystemExit(found.text)
        return found

    def _fetch(self, requests: Sequence[Request]) -> list[Reply | Failure]:
        replies = fetch_all(requests, 10.0)
        self.sizes = [len(reply.body) for reply in replies if isinstance(reply, Reply)]
        return replies


def measure(url: str, pid: int, polls: int, every_s: float) -> FleetReading:
    """Print medians over that many polls, with what the server would have used anyway taken off."""
    meter = Meter(url)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    idle_from, at = cpu_of(pid), time.monotonic()
    time.sleep(20)
    idle = (cpu_of(pid) - idle_from) / (time.monotonic() - at)
    walls, cpus, sizes = [], [], []
    busy_from, at = cpu_of(pid), time.monotonic()
    for _ in range(polls):
        wall, cpu = time.perf_counter(), time.process_time()
        reading = meter.poll()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        sizes.append(meter.sizes)
        time.sleep(max(0.0, every_s - walls[-1]))
    span = time.monotonic() - at
    theirs = (cpu_of(pid) - busy_from) / span - idle
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"engines {len(reading.engines)}, GPUs {len(reading.devices)}, every {every_s:g} s")
    for queries in sorted({len(each) for each in sizes}):
        ours = [n for n in range(polls) if len(sizes[n]) == queries]
        wall, cpu = (statistics.median(each[n] for n in ours) * 1e3 for each in (walls, cpus))
        size = statistics.median(sum(sizes[n]) for n in ours) / 1e6
        print(f"{queries} queries: wall {wall:.0f} ms, our CPU {cpu:.0f} ms, {size:.2f} MB")
    print(
        f"our CPU {sum(cpus) / span:.2%} of a core, its {theirs:.2%} besides {idle:.2%} to scrape"
    )
    print(f"our peak memory {before / 1024:.0f} -> {after / 1024:.0f} MiB")
    for note in reading.notes:
        print("note:", note)
    return reading


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--prometheus", default="prometheus")
    words.add_argument("--engines", type=int, default=500)
    words.add_argument("--seconds", type=float, default=5.0, help="between scrapes")
    words.add_argument("--warm", type=float, default=70.0, help="seconds of scraping first")
    words.add_argument("--polls", type=int, default=15)
    given = words.parse_args()
    with Exporter() as exporter:
        config = exporter.config(given.engines, given.seconds)
        with prometheus(given.prometheus, config) as (url, pid):
            time.sleep(given.warm)
            exporter.broken = True
            time.sleep(2 * given.seconds)
            every_s = max(4.0, PAUSE_PER_ENGINE_S * given.engines)
            reading = measure(url, pid, given.polls, every_s)
    for engine in reading.engines:
        if engine.kind != "vllm" or not engine.up:
            print(engine.id, "up" if engine.up else "DOWN", engine.reading.active, engine.rates[:3])


if __name__ == "__main__":
    main()
