"""`tokentop --compact` against `nvitop -1` and `gpustat` on the same eight GPUs.

Limits: at most 1 x nvitop's and 0.1 x gpustat's wall time, at most 28 MB at the peak; answered from
what a `--watch` of the same configuration has just polled, at most 0.6 x nvitop's.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.process import compare, report
from tests.benchmarks.world import command, environ, fake_gpus, services

SHARED = ["--compact", "--interval", "3600"]


@contextmanager
def watching(env: dict[str, str]) -> Iterator[None]:
    """A `--watch` that has polled once."""
    words = [command("tokentop"), "--watch", *SHARED]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield
        finally:
            child.kill()


def main(rounds: int) -> None:
    with services() as urls, fake_gpus() as gpus, watching(env := environ(urls, gpus)):
        commands = {
            "tokentop --compact": [command("tokentop"), "--compact", "--fresh"],
            "from the shared snapshot": [command("tokentop"), *SHARED],
            "nvitop -1": [command("nvitop"), "-1"],
            "gpustat": [command("gpustat"), "--no-color"],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        figures = compare(commands, env, rounds)
    report(figures, "tokentop --compact")
    report(figures, "from the shared snapshot")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
