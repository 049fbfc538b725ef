"""Many engines and few descriptors: --json and the app, and what a poll of all of them costs.

    python -m tests.benchmarks.edges [--engines 256,400,1000] [--descriptors 64,1024] [--polls 10]

Limits: every engine online in the first --json, 400 within 1.5 s; 256 in the app for 200 ms of CPU
a poll.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.screen import Terminal
from tests.benchmarks.world import command
from tests.cli.test_limits import engines, limited

FIRST_S = 60.0
INTERVAL_S = 4.0
ALL = b"Room for more"  # the banner, where every engine has room


class OneShot(NamedTuple):
    """One --json: seconds of wall and CPU time, and how many engines it read."""

    wall_s: float
    cpu_s: float
    online: int


class App(NamedTuple):
    """The app: seconds to the first whole picture, CPU seconds a poll, and what it holds."""

    first_s: float
    cpu_s: float
    resident_mib: float
    descriptors: int
    bytes_per_s: float


def one_shot(env: Mapping[str, str], descriptors: int) -> OneShot:
    """One --json under `ulimit -n`."""
    began = time.monotonic()
    argv = [*limited(descriptors), command("tokentop"), "--json"]
    with subprocess.Popen(argv, env=dict(env), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        snapshot = json.loads(child.stdout.read())
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
    online = sum(one["state"] == "online" for one in snapshot["engines"])
    return OneShot(time.monotonic() - began, usage.ru_utime + usage.ru_stime, online)


def app(env: Mapping[str, str], descriptors: int, polls: int) -> App | None:
    """The app under `ulimit -n`; None where it does not show all engines within a minute."""
    argv = ["/bin/sh", *limited(descriptors)[1:], command("tokentop")]
    terminal = Terminal(argv, dict(env), size=(40, 160))
    try:
        if ALL not in terminal.read(FIRST_S, until=ALL):
            return None
        first = time.monotonic() - terminal.started
        terminal.read(2 * INTERVAL_S)
        cpu = terminal.cpu_s()
        sent = len(terminal.read(polls * INTERVAL_S))
        files = len(os.listdir(f"/proc/{terminal.pid}/fd"))
        cpu = (terminal.cpu_s() - cpu) / polls
        return App(first, cpu, terminal.resident_mib(), files, sent / polls / INTERVAL_S)
    finally:
        terminal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", default="256,400,1000")
    parser.add_argument("--descriptors", default="64,1024")
    parser.add_argument("--polls", type=int, default=10)
    given = parser.parse_args()
    for count in map(int, given.engines.split(",")):
        for descriptors in map(int, given.descriptors.split(",")):
            with tempfile.TemporaryDirectory() as folder, engines(count, Path(folder)) as env:
                print(f"{count} engines, ulimit -n {descriptors}:", one_shot(env, descriptors))
                if given.polls:
                    print("   ", app(env, descriptors, given.polls), flush=True)


if __name__ == "__main__":
    main()
