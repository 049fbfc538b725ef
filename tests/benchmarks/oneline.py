"""`tokentop --compact` against `nvitop -1` and `gpustat` on the same eight GPUs.

Limits: at most 1 x nvitop's and 0.1 x gpustat's wall time, at most 28 MB at the peak.
"""

import sys

from tests.benchmarks.process import compare, report
from tests.benchmarks.world import command, environ, fake_gpus, services


def main(rounds: int) -> None:
    with services() as urls, fake_gpus() as gpus:
        commands = {
            "tokentop --compact": [command("tokentop"), "--compact"],
            "nvitop -1": [command("nvitop"), "-1"],
            "gpustat": [command("gpustat"), "--no-color"],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        report(compare(commands, environ(urls, gpus), rounds), "tokentop --compact")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
