"""A stretch of a store of 10 million samples, from the file to the drawn chart.

Limit: a day at 4 s opens within 200 ms. Also what keeping one sample costs, and bytes a sample.
"""

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable

from tests.benchmarks.process import median
from tokentop.domain.history import Sample
from tokentop.domain.past import Past, Stretch
from tokentop.domain.snapshot import Snapshot
from tokentop.transport.history.reader import read, tier_for
from tokentop.transport.history.schema import DAY_S, FIGURES
from tokentop.transport.history.store import Store
from tokentop.views.tui.draw.panels.history import charts

NOW = 1_800_000_000.0
STEP_S = 4
ROUNDS = 9
STRETCHES = {
    "an hour": 3600.0, "6 hours": 6 * 3600.0, "a day": DAY_S, "30 days": 30 * DAY_S,
    "a year": 365 * DAY_S,
}  # fmt: skip
MEASURES = ("utilization", "multiplier", "queue", "vram", "tokens", "ttft", "kv", "power", "usd")

_FILL = f"""
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)
INSERT INTO sample SELECT :now - i * {STEP_S * 1000},
{", ".join(f"abs(sin((i + {k}) / 900.0)) * {k + 1}" for k in range(len(FIGURES)))} FROM n
"""


def filled(path: str, count: int) -> Store:
    """A store of `count` samples of every figure, one each STEP_S seconds up to NOW, rolled up."""
    store = Store(path, 1 << 40)
    connection = store._connection
    connection.execute(_FILL, {"now": round(NOW * 1000), "count": count})
    for finer, coarser, step, suffixes in (
        ("sample", "minute", 60_000, ("", "", "")),
        ("minute", "hour", 3_600_000, ("_min", "_avg", "_max")),
    ):
        low, mean, high = suffixes
        each = ", ".join(
            f"min({name}{low}), avg({name}{mean}), max({name}{high})" for name in FIGURES
        )
        connection.execute(
            f"INSERT INTO {coarser} SELECT t / {step} * {step}, {each} FROM {finer} GROUP BY 1"
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store


def timed(work: Callable[[], object]) -> float:
    """Median seconds of ROUNDS calls."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def drawn(past: Past, span_s: float) -> None:
    """Every chart of the history view at 200 x 60."""
    charts.chart_lines.__globals__["_plotted"].cache_clear()
    period = charts.Period(past.mean, NOW, NOW - span_s / 3, span_s, past)
    for name in MEASURES:
        charts.lines(name, Snapshot(), period, 66, 18)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=10_000_000)
    count = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "history.db")
        store = filled(path, count)
        size = os.path.getsize(path)
        print(f"{count} samples of {len(FIGURES)} figures: {size / 2**20:.0f} MiB, "
              f"{size / count:.0f} bytes each (SQLite {sqlite3.sqlite_version})")  # fmt: skip
        for name, span_s in STRETCHES.items():
            stretch = Stretch(NOW - span_s, NOW)
            opened = timed(lambda stretch=stretch: read(path, stretch, NOW))  # type: ignore[misc]
            past = read(path, stretch, NOW)
            shown = timed(lambda past=past, span_s=span_s: drawn(past, span_s))  # type: ignore[misc]
            limit = "; limit 200 ms" if name == "a day" else ""
            print(f"{name:8} of {tier_for(stretch, NOW).table:7} {len(past.mean):4} slices: read "
                  f"{opened * 1e3:6.1f} ms, {len(MEASURES)} charts drawn {shown * 1e3:6.1f} ms"
                  f"{limit}")  # fmt: skip
        moments = iter(range(10_000))
        kept = timed(lambda: store.add([Sample(NOW + 4 * next(moments), 0.5, 2.0, 3.0)]))
        store.close()
        print(f"one sample kept: {kept * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
