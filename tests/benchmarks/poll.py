"""One poll of seven services that each answer after 200 ms, as the app does it.

Limits: every answer in within 1.25 x 200 ms; with one service hanging, the other six as fast.
"""

import asyncio
import os
import time

from tests.benchmarks.process import median
from tests.benchmarks.world import services
from tokentop.collect.collector import Collector
from tokentop.config.load import load
from tokentop.domain.snapshot import Snapshot
from tokentop.transport.http.client_async import Pool

DELAY_S = 0.2
ROUNDS = 7


async def rounds(collector: Collector, wanted: int) -> list[float]:
    """Seconds until `wanted` services are on the screen, per round; the first one connects."""
    pool = Pool()
    taken = []
    for _ in range(ROUNDS):
        started = time.monotonic()
        done = asyncio.Event()

        async def ask(source: object, began: float = started, done: asyncio.Event = done) -> None:
            result = await pool.fetch(source.request)  # type: ignore[attr-defined]
            collector.record(source.key, result, time.monotonic())  # type: ignore[attr-defined]
            if online(collector.snapshot(time.monotonic(), time.time()), began) >= wanted:
                done.set()

        tasks = [asyncio.create_task(ask(source)) for source in collector.sources]
        await done.wait()
        taken.append(time.monotonic() - started)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await pool.aclose()
    return taken


def online(snapshot: Snapshot, began: float) -> int:
    """Services whose every figure on the screen is of this round."""
    limit = time.monotonic() - began
    return sum(
        s.kind == "aither" and s.age_s is not None and s.age_s <= limit for s in snapshot.services
    )


def main() -> None:
    for hanging, wanted in (("", 7), ("compute", 6)):
        with services(delay_s=DELAY_S, hanging=hanging) as urls:
            config = load({}, {**urls, "HOME": os.devnull}, None)
            taken = asyncio.run(rounds(Collector(config, "bench", False), wanted))
        named = f", {hanging} hanging" if hanging else ""
        first, later = taken[0], median(taken[1:])
        print(
            f"{wanted} services on the screen{named}: first {first * 1e3:.0f} ms "
            f"(×{first / DELAY_S:.2f}), then {later * 1e3:.0f} ms (×{later / DELAY_S:.2f}); "
            "limit ×1.25 of 200 ms"
        )


if __name__ == "__main__":
    main()
