"""NVML calls per GPU and poll, and of each one-shot view, from the fake driver's own log.

Limit: 12 per GPU and poll.
"""

import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks.world import command, environ, fake_gpus
from tests.fake_nvml import calls

GPUS, POLLS = 8, 5
VIEWS = (("--compact", "--no-discovery"), ("--compact",), ("--json", "--no-discovery"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        with fake_gpus(log=log) as gpus:
            watch = [command("tokentop"), "--json", "--watch", "--interval", "0.5"]
            with subprocess.Popen(watch, env=environ(gpus), stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                for _ in range(POLLS):
                    process.stdout.readline()
                process.terminate()
            counted = {name: n for name, n in calls(log).items() if name.startswith("nvmlDevice")}
    total = sum(counted.values())
    for name, n in sorted(counted.items(), key=lambda item: -item[1]):
        print(f"{n:6} {name}")
    each = total / GPUS / POLLS
    print(
        f"{each:.1f} calls per GPU and poll (the first, with its static facts, included); limit 12"
    )
    for words in VIEWS:
        print(f"{one_shot(*words):6} calls in all for tokentop {' '.join(words)}")


def one_shot(*words: str) -> int:
    """All NVML calls of one view of eight GPUs, started anew."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        with fake_gpus(log=log) as gpus:
            subprocess.run(
                [command("tokentop"), *words], env=environ(gpus), stdout=subprocess.DEVNULL
            )
            return sum(calls(log).values())


if __name__ == "__main__":
    main()
