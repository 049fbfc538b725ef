"""The soak's figures, and how they are printed."""

import statistics
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

LAST = 12  # changes that are printed with a crash


class Sample(NamedTuple):
    """One moment of the app: seconds since its start, and what it holds."""

    at_s: float
    resident_mib: float
    descriptors: int
    threads: int


class Figures:
    """What was seen so far."""

    def __init__(self) -> None:
        self.crashes: list[str] = []
        self.samples: list[Sample] = []  # of the app that runs now
        self.delays: list[float] = []
        self.keys = self.resizes = self.changes = 0
        self.latest: deque[str] = deque(maxlen=LAST)


def slope(samples: list[Sample]) -> float | None:
    """MiB a minute of the resident memory over the second half; None for too short a run."""
    half = samples[len(samples) // 2 :]
    if len(half) < 10:
        return None
    line = statistics.linear_regression([s.at_s for s in half], [s.resident_mib for s in half])
    return line.slope * 60


def report(figures: Figures, left: tuple[int | None, float], seed: int) -> str:
    """The whole result, a line a figure; `left` is the exit code of `q` and the seconds it took."""
    code, seconds = left
    rows = [
        f"seed {seed}: {figures.keys} keys, {figures.resizes} resizes, {figures.changes} changes",
        f"crashes      {len(figures.crashes)}",
        *(f"  {crash}" for crash in figures.crashes),
        *_held(figures.samples),
    ]
    if figures.delays:
        times = sorted(1e3 * delay for delay in figures.delays)
        usual = statistics.median(times)
        rows.append(f"key delay    worst {times[-1]:.0f} ms, median {usual:.0f} ms of {len(times)}")
    rows.append(f"q            exit code {code} after {seconds * 1e3:.0f} ms")
    return "\n".join(rows)


def _held(samples: list[Sample]) -> list[str]:
    """What the app holds: first, last, and most."""
    if not samples:
        return []
    growth = slope(samples)
    shown = "unknown" if growth is None else f"{growth:+.2f} MiB/min in the second half"
    memory = "{:.1f} -> {:.1f} MiB, peak {:.1f}".format(*_run([s.resident_mib for s in samples]))
    return [
        f"memory       {memory}; {shown}",
        "descriptors  {} -> {}, peak {}".format(*_run([s.descriptors for s in samples])),
        "threads      {} -> {}, peak {}".format(*_run([s.threads for s in samples])),
    ]


def _run(values: Sequence[float]) -> tuple[float, float, float]:
    return values[0], values[-1], max(values)
