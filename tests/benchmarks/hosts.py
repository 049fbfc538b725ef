"""The table of many hosts: CPU, memory and terminal bytes of the app that follows them all.

One `tokentop serve --demo` stands for every host: each is another address of the loopback network,
and so a stream of its own. Limit: 100 hosts at 4 s below 3 % of a core.
"""

import argparse
import socket
import subprocess
import sys
import time

from tests.benchmarks.process import median
from tests.benchmarks.screen import SETTLE_S, Terminal
from tests.benchmarks.world import command
from tests.cli.command import environment

PARTS = ("stack", "whole")
STRETCHES = 5
LIMIT = 0.03


def served(part: str, port: int) -> "subprocess.Popen[bytes]":
    words = ["serve", f"--demo={part}", "--host", "0.0.0.0", "--port", str(port)]
    return subprocess.Popen(
        [command("tokentop"), *words, "--insecure-no-auth"],
        stderr=subprocess.DEVNULL, env=environment(),
    )  # fmt: skip


def followed(port: int, hosts: int, seconds: float) -> tuple[float, float, float]:
    """Share of a core (the median of STRETCHES), MiB, bytes a second."""
    urls = [f"http://127.0.{1 + n // 200}.{1 + n % 200}:{port}" for n in range(hosts)]
    flags = [word for url in urls for word in ("--connect", url)]
    terminal = Terminal([command("tokentop"), *flags], environment(), size=(40, 120))
    terminal.read(SETTLE_S)
    shares, sent = [], 0
    for _ in range(STRETCHES):
        cpu, began = terminal.cpu_s(), time.monotonic()
        sent += len(terminal.read(seconds / STRETCHES))
        shares.append((terminal.cpu_s() - cpu) / (time.monotonic() - began))
    resident = terminal.resident_mib()
    terminal.close()
    return median(shares), resident, sent / seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    worst = 0.0
    for part in PARTS:
        with socket.socket() as free:
            free.bind(("", 0))
            port = free.getsockname()[1]
        process = served(part, port)
        time.sleep(3.0)
        share, resident, sent = followed(port, given.hosts, given.seconds)
        process.terminate()
        process.wait()
        worst = max(worst, share)
        print(
            f"{given.hosts} hosts, each the demo's {part}: {share * 100:.2f} % of a core "
            f"(limit {LIMIT * 100:g}), {resident:.1f} MiB, {sent:.0f} B/s"
        )
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
