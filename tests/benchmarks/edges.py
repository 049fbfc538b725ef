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

from tests.benchmarks.screen import Terminal
from tests.benchmarks.world import command
from tests.cli.test_limits import engines, limited

FIRST_S = 60.0
INTERVAL_S = 4.0
ALL = b"Room for more"  # the banner, where every engine has room


def one_shot(env: Mapping[str, str], descriptors: int) -> str:
    """Wall and CPU time of --json, and how many engines it read."""
    began = time.monotonic()
    argv = [*limited(descriptors), command("tokentop"), "--json"]
    with subprocess.Popen(argv, env=dict(env), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        snapshot = json.loads(child.stdout.read())
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
    online = sum(one["state"] == "online" for one in snapshot["engines"])
    wall, cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    return f"--json {wall:.2f} s, {cpu:.2f} s of CPU, {online} online"


def app(env: Mapping[str, str], descriptors: int, polls: int) -> str:
    """Seconds to the first whole picture, CPU a poll, memory, descriptors."""
    argv = ["/bin/sh", *limited(descriptors)[1:], command("tokentop")]
    terminal = Terminal(argv, dict(env), size=(40, 160))
    try:
        if ALL not in terminal.read(FIRST_S, until=ALL):
            return "app: not all engines within a minute"
        first = time.monotonic() - terminal.started
        terminal.read(2 * INTERVAL_S)
        cpu = terminal.cpu_s()
        sent = len(terminal.read(polls * INTERVAL_S))
        cpu = (terminal.cpu_s() - cpu) / polls
        files = len(os.listdir(f"/proc/{terminal.pid}/fd"))
        return (
            f"app {first:.2f} s, {cpu * 1e3:.0f} ms of CPU a poll, {terminal.resident_mib():.0f} "
            f"MiB, {files} descriptors, {sent / polls / INTERVAL_S:.0f} B/s"
        )
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
                print(f"{count} engines, ulimit -n {descriptors}: {one_shot(env, descriptors)}")
                if given.polls:
                    print(f"    {app(env, descriptors, given.polls)}", flush=True)


if __name__ == "__main__":
    main()
