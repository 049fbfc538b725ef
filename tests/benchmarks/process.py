"""Whole-process figures: wall, CPU and peak memory as the operating system accounts them."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Figures(NamedTuple):
    """One finished run: seconds and MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: Sequence[str], environ: Mapping[str, str]) -> Figures:
    """Run to the end with the output thrown away."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = 0
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(
    commands: Mapping[str, Sequence[str]], environ: Mapping[str, str], rounds: int = 15
) -> dict[str, list[Figures]]:
    """Run the commands in turn, A B C A B C ..., after one warm-up round."""
    figures: dict[str, list[Figures]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            one = run(command, environ)
            if turn:
                figures[name].append(one)
    return figures


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def report(figures: Mapping[str, Sequence[Figures]], subject: str) -> None:
    """Print each command's medians and the subject's ratio to every other, pair by pair."""
    for name, runs in figures.items():
        wall, cpu, peak = (median([run[i] for run in runs]) for i in range(3))
        print(
            f"{name:24} wall {wall * 1e3:7.1f} ms   cpu {cpu * 1e3:7.1f} ms   peak {peak:5.1f} MiB"
        )
    for name, runs in figures.items():
        if name != subject:
            found = ratio(figures[subject], runs)
            print(f"{subject} / {name}: wall ×{found:.3f} (median of {len(runs)} pairs)")


def ratio(subject: Sequence[Figures], peer: Sequence[Figures], figure: int = 0) -> float:
    """The subject's wall time, or figure 1, CPU, over the peer's, run by run: the median."""
    return median([a[figure] / b[figure] for a, b in zip(subject, peer, strict=True)])
