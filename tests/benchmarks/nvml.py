"""NVML calls per GPU and poll, from the fake driver's own log. Limit: 12."""

import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks.world import command, environ, fake_gpus
from tests.fake_nvml import calls

GPUS, POLLS = 8, 5


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


if __name__ == "__main__":
    main()
