"""Engines: the one-line view with three, the app with 32, one that hangs, and the search.

    python -m tests.benchmarks.engines [search] [line] [hanging] [app] [--minutes 1]

Limits: three engines at most 1.3 x the seven services' wall time; 32 engines at 4 s below 2 % of a
core; with one hanging the others as fresh (1.1 x); a search below a second of wall time, and a
repeated one below 0.1 % of a core at one every 30 s.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks import process
from tests.benchmarks.process import Figures, median
from tests.benchmarks.screen import watch
from tests.benchmarks.world import command, environ, fake_gpus, services
from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, EngineConfig
from tokentop.config.schema import DiscoveryConfig as Discovery
from tokentop.domain.snapshot import Snapshot
from tokentop.runtime.live.engine_poller import EnginePoller
from tokentop.runtime.live.poller import Poller
from tokentop.runtime.oneshot.discovery_cache import plan
from tokentop.transport.discovery.probe_cache import ProbeCache
from tokentop.transport.discovery.search import find
from tokentop.transport.http.client_async import Pool
from tokentop.transport.procfs import table

MANY = ("vllm", "sglang") * 16
ROUND_S = 1.0
ROUNDS = 12


@contextmanager
def farm(*kinds: str) -> Iterator[list[str]]:
    """URLs of engines of these kinds, served by a process of their own."""
    asked = [sys.executable, "-m", "tests.benchmarks.farm", *kinds]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.kill()


def configured(urls: list[str], gpus: Mapping[str, str], *, search: bool) -> dict[str, str]:
    """An environment of its own whose configuration names these engines."""
    env = environ(dict(gpus))
    place = Path(env["XDG_CONFIG_HOME"]) / "tokentop"
    place.mkdir()
    rows = [f'[[engine]]\nurl = "{url}"\n' for url in urls]
    head = f"[discovery]\nenabled = {str(search).lower()}\n"
    (place / "config.toml").write_text(head + "".join(rows))
    return env


def line(rounds: int = 25) -> None:
    """`--compact` with three engines, in turn with the seven services."""
    argv = [command("tokentop"), "--compact"]
    with fake_gpus() as gpus, services() as urls, farm("vllm", "sglang", "llamacpp") as engines:
        worlds = {
            "seven services": environ(urls, gpus, {"TOKENTOP_DISCOVERY": "false"}),
            "three engines": configured(engines, gpus, search=True),
        }
        runs: dict[str, list[Figures]] = {name: [] for name in worlds}
        for turn in range(rounds + 2):
            for name, env in worlds.items():
                one = process.run(argv, env)
                if turn > 1:
                    runs[name].append(one)
    process.report(runs, "three engines")
    print("limit ×1.3")


def app(minutes: float) -> None:
    """CPU, memory and terminal bytes of the full screen with 32 engines that work."""
    with fake_gpus() as gpus, farm(*MANY) as urls:
        for search in (False, True):
            seen = watch(configured(urls, gpus, search=search), minutes * 60)
            print(
                f"{len(urls)} engines at 4 s, {'with' if search else 'without'} a search: "
                f"{seen.cpu:.2%} of a core (limit 2 %: ×{seen.cpu / 0.02:.2f}), "
                f"{seen.before_mib:.1f} -> {seen.after_mib:.1f} MiB, {seen.bytes_per_s:.0f} B/s"
            )


def hanging() -> None:
    """Until all others of a round are on the screen: alone, and beside one that hangs."""
    taken = []
    for extra in ((), ("hanging",)):
        with farm(*MANY, *extra) as urls:
            taken.append(asyncio.run(rounds(urls, len(MANY))))
    alone, beside = taken
    print(
        f"{len(MANY)} engines on the screen {alone * 1e3:.0f} ms after the round began; beside one "
        f"that hangs {beside * 1e3:.0f} ms: ×{beside / alone:.2f} (limit ×1.1)"
    )


async def rounds(urls: list[str], wanted: int) -> float:
    """Median seconds from a round's begin until its first `wanted` engines are shown."""
    named = tuple(EngineConfig(url, url) for url in urls)
    config = Config(interval_s=ROUND_S, engines=named, discovery=Discovery(enabled=False))
    collector = Collector(config, "bench", False)
    began = time.monotonic()
    seen: dict[int, float] = {}

    def shown() -> None:
        now = time.monotonic()
        snapshot: Snapshot = collector.snapshot(now, time.time())
        number = int((now - began) / ROUND_S)
        limit = now - began - number * ROUND_S
        ages = [engine.age_s for engine in snapshot.engines[:wanted]]
        if all(age is not None and age <= limit for age in ages):
            seen.setdefault(number, limit)

    poller = Poller(collector, ROUND_S, shown, time.monotonic)
    pool = Pool()
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None], **named: object) -> None:
        tasks.append(asyncio.create_task(work))

    poller.start(pool, None, spawn)
    EnginePoller(collector, config, poller, time.monotonic).start(pool, spawn)
    await asyncio.sleep(ROUND_S * ROUNDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await pool.aclose()
    return median([took for number, took in seen.items() if number > 1])


def search() -> None:
    """The first search of this host, and those that follow it every 30 s."""
    memory, walls, cpus = ProbeCache(), [], []
    for _ in range(21):
        wall, cpu = time.perf_counter(), time.process_time()
        found = find(plan(Config(), ()), memory, time.time(), 1.0)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    share = median(cpus[1:]) / 30.0
    count = len(table().pids())
    print(
        f"{count} processes here; {len(found.found)} engines found\n"
        f"first search {walls[0] * 1e3:.1f} ms, CPU {cpus[0] * 1e3:.1f} ms (limit 1 s: "
        f"×{walls[0]:.3f})\n"
        f"repeated {median(walls[1:]) * 1e3:.1f} ms, CPU {median(cpus[1:]) * 1e3:.1f} ms: "
        f"{share:.4%} of a core every 30 s (limit 0.1 %: ×{share / 0.001:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["search", "line", "hanging", "app"])
    parser.add_argument("--minutes", type=float, default=1.0)
    given = parser.parse_args()
    work: dict[str, Callable[[], None]] = {
        "search": search,
        "line": line,
        "hanging": hanging,
        "app": lambda: app(given.minutes),
    }
    for part in given.parts:
        work[part]()


if __name__ == "__main__":
    main()
