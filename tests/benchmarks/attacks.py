"""The app and the one-shot views under attack: key delays, memory, CPU and wall time of each.

    python -m tests.benchmarks.attacks [NAME ...] [--seconds 20]

Twelve hostile ports stand for the seven services and five configured engines, or one for a
Prometheus server. Limits: a key within 0.1 s, `q` within 0.1 s, 60 MB at the peak where answers
have 2 MiB and 120 MB under all, a one-shot view within 3 s.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import process
from tests.benchmarks.screen import Terminal
from tests.benchmarks.world import command, environ
from tests.servers.hostile import ATTACKS
from tests.servers.stack import VARIABLES

PORTS = 12
KINDS = ("vllm", "sglang", "llamacpp", "ollama", "tgi")
NAMES = ("no attack", *ATTACKS, "eight 16 MiB Prometheus answers")
HELP = b"? glossary"  # a hint that only the table of keys has
PATIENCE_S = 10.0
SETTLE_S = 4.0
MIB = 2**20


class Seen(NamedTuple):
    """The app under one attack: seconds, share of a core, MiB at the peak."""

    worst_key_s: float
    median_key_s: float
    quit_s: float
    cpu: float
    peak_mib: float
    first_key_s: float


@contextmanager
def attacked(name: str) -> Iterator[dict[str, str]]:
    """An environment in which everything that is polled attacks."""
    if name == "no attack":
        yield configured([], [])
        return
    prometheus = "Prometheus" in name
    words = ["1", "Prometheus"] if prometheus else [str(PORTS), name]
    asked = [sys.executable, "-m", "tests.benchmarks.hostile", *words]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            urls = json.loads(child.stdout.readline())
            yield (
                configured([], [], f'[prometheus]\nurl = "{urls[0]}"\n')
                if prometheus
                else configured(urls[:7], urls[7:])
            )
        finally:
            child.kill()


def configured(services: list[str], engines: list[str], more: str = "") -> dict[str, str]:
    """An environment whose services and engines have these addresses, and no others."""
    nowhere = ["http://127.0.0.1:9"] * (7 - len(services))
    env = environ(dict(zip(VARIABLES.values(), services + nowhere, strict=True)))
    place = Path(env["XDG_CONFIG_HOME"]) / "tokentop"
    place.mkdir()
    rows = [
        f'[[engine]]\nurl = "{url}"\nkind = "{KINDS[at % len(KINDS)]}"\n'
        for at, url in enumerate(engines)
    ]
    head = "[gpus]\nenabled = false\n[discovery]\nenabled = false\n"
    (place / "config.toml").write_text(head + more + "".join(rows))
    return env


def peak_mib(pid: int) -> float:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(row for row in rows if row.startswith("VmHWM")).split()[1]) / 1024


def app(env: dict[str, str], seconds: float) -> Seen:
    """Press ? and Escape in turn, at random moments, then q."""
    terminal = Terminal([command("tokentop")], env)
    terminal.read(20.0, until=b"tokentop")
    first = pressed(terminal)
    delays: list[float] = []
    pause = random.Random(0)
    cpu, began = terminal.cpu_s(), time.monotonic()
    while time.monotonic() - began < seconds:
        delays.append(pressed(terminal))
        terminal.read(pause.uniform(0.05, 0.4))
    used = (terminal.cpu_s() - cpu) / (time.monotonic() - began)
    peak = peak_mib(terminal.pid)
    return Seen(max(delays), process.median(delays), quitted(terminal), used, peak, first)


def pressed(terminal: Terminal) -> float:
    """Seconds from ? to the table of keys on the screen; closes it again.

    Raises AssertionError where it does not open, with what came instead.
    """
    began = time.monotonic()
    os.write(terminal.fd, b"?")
    found = terminal.read(PATIENCE_S, until=HELP)
    taken = time.monotonic() - began
    assert HELP in found, f"? opened nothing in {PATIENCE_S:.0f} s, only {found[-200:]!r}"
    os.write(terminal.fd, b"x")
    terminal.read(0.15)
    return taken


def quitted(terminal: Terminal) -> float:
    """Seconds from q to the end of the process."""
    began = time.monotonic()
    os.write(terminal.fd, b"q")
    while time.monotonic() - began < 30.0:
        terminal.read(0.005)
        if os.waitpid(terminal.pid, os.WNOHANG)[0]:
            break
    os.close(terminal.fd)
    return time.monotonic() - began


def report(name: str, seconds: float) -> None:
    with attacked(name) as env:
        seen = app(env, seconds)
        one = process.run([command("tokentop"), "--compact"], env)
        two = process.run([command("tokentop"), "--json"], env)
    print(
        f"{name:34} key {seen.worst_key_s * 1e3:6.0f} ms (median {seen.median_key_s * 1e3:4.0f},"
        f" first {seen.first_key_s * 1e3:4.0f})"
        f"  q {seen.quit_s * 1e3:6.0f} ms  cpu {seen.cpu:6.1%}  peak {seen.peak_mib:6.1f} MiB"
        f"  --compact {one.wall_s:5.2f} s {one.peak_mib:6.1f} MiB"
        f"  --json {two.wall_s:5.2f} s {two.peak_mib:6.1f} MiB",
        flush=True,
    )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("names", nargs="*", default=NAMES)
    words.add_argument("--seconds", type=float, default=20.0)
    given = words.parse_args()
    for name in given.names:
        report(name, given.seconds)


if __name__ == "__main__":
    main()
