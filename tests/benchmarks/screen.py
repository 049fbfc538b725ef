"""The app in a pseudo-terminal: first paint, CPU, memory and bytes sent down the line.

Limits at 4 s with 8 GPUs and seven services: below 1 % of a core, 50 MB resident and not growing,
1 kB/s while a few values change, 100 B/s while none does; first paint within 1.5 x an empty
Textual app's.
"""

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.process import median
from tests.benchmarks.world import command, environ, fake_gpus, services

SETTLE_S = 12.0  # three polls: connections are open, every module is there
EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("painted")
Empty().run()
"""


class Terminal:
    """A program in an 80x24 pseudo-terminal; what it writes is counted and thrown away."""

    def __init__(self, argv: list[str], env: dict[str, str], size: tuple[int, int] = (24, 80)):
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], argv, {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def read(self, seconds: float, until: bytes | None = None) -> bytes:
        """What comes within `seconds`, or until the wanted bytes are there."""
        seen, deadline = b"", time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and (until is None or until not in seen):
            if select.select([self.fd], [], [], left)[0]:
                try:
                    seen += os.read(self.fd, 65536)
                except OSError:  # the program has ended
                    break
        return seen

    def cpu_s(self) -> float:
        """All its threads', by the clock of clock_getcpuclockid(3): /proc counts hundredths."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def resident_mib(self) -> float:
        rows = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(row for row in rows if row.startswith("VmRSS")).split()[1]) / 1024

    def wakeups(self) -> int:
        """How often any of its threads has gone to sleep so far."""
        return sum(
            int(row.split()[1])
            for status in Path(f"/proc/{self.pid}/task").glob("*/status")
            for row in status.read_text().splitlines()
            if row.startswith("voluntary_ctxt_switches")
        )

    def press(self, key: bytes, sign: bytes = b"", quiet_s: float = 0.4) -> tuple[int, float]:
        """(Bytes until nothing comes for `quiet_s`, seconds until the sign) after a key."""
        os.write(self.fd, key)
        began = time.monotonic()
        sent = len(self.read(5.0, until=sign))
        took = time.monotonic() - began
        while part := self._some(quiet_s):
            sent += len(part)
        return sent, took

    def _some(self, within_s: float) -> bytes:
        return os.read(self.fd, 65536) if select.select([self.fd], [], [], within_s)[0] else b""

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Stretch(NamedTuple):
    """A stretch of time: share of a core, MiB at its ends, bytes and wakeups a second."""

    cpu: float
    before_mib: float
    after_mib: float
    bytes_per_s: float
    wakeups_per_s: float


def first_paint(argv: list[str], env: dict[str, str], sign: bytes) -> float:
    terminal = Terminal(argv, env)
    terminal.read(20.0, until=sign)
    taken = time.monotonic() - terminal.started
    terminal.close()
    return taken


def first_paints(env: dict[str, str], rounds: int = 21) -> tuple[list[float], list[float]]:
    """Seconds of an empty Textual app and of ours, in turn."""
    empty, ours = [], []
    for _ in range(rounds):
        empty.append(first_paint([sys.executable, "-c", EMPTY_APP], env, b"painted"))
        ours.append(first_paint([command("tokentop")], env, b"tokentop"))
    return empty, ours


def paint_ratio(env: dict[str, str]) -> None:
    empty, ours = first_paints(env)
    ratio = median([b / a for a, b in zip(empty, ours, strict=True)])
    print(
        f"first paint {median(ours) * 1e3:.0f} ms, an empty Textual app {median(empty) * 1e3:.0f} "
        f"ms: ×{ratio:.2f} (limit ×1.5)"
    )


def watch(
    env: dict[str, str],
    seconds: float,
    *words: str,
    size: tuple[int, int] = (24, 80),
    program: str = "tokentop",
) -> Stretch:
    """A stretch of the app, or of a peer, in (rows, columns), once it has settled."""
    return stretch([command(program), *words], env, seconds, size)


def stretch(argv: list[str], env: dict[str, str], seconds: float, size: tuple[int, int]) -> Stretch:
    """A stretch of any program."""
    terminal = Terminal(argv, env, size)
    terminal.read(SETTLE_S)
    cpu, before, began = terminal.cpu_s(), terminal.resident_mib(), time.monotonic()
    wakeups = terminal.wakeups()
    sent = len(terminal.read(seconds))
    span = time.monotonic() - began
    figures = Stretch(
        cpu=(terminal.cpu_s() - cpu) / span,
        before_mib=before,
        after_mib=terminal.resident_mib(),
        bytes_per_s=sent / span,
        wakeups_per_s=(terminal.wakeups() - wakeups) / span,
    )
    terminal.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    minutes: float = parser.parse_args().minutes
    for scenario, name in (("eight", "nothing changes"), ("moving", "figures change")):
        with services() as urls, fake_gpus(scenario) as gpus:
            env = environ(urls, gpus)
            if scenario == "eight":
                paint_ratio(env)
            seen = watch(env, minutes * 60)
        print(
            f"{name}: {seen.cpu * 100:.2f} % of a core, {seen.before_mib:.1f} -> "
            f"{seen.after_mib:.1f} MiB after {minutes:g} min, {seen.bytes_per_s:.0f} B/s, "
            f"{seen.wakeups_per_s:.1f} wakeups/s"
        )


if __name__ == "__main__":
    main()
