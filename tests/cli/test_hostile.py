"""Everything that is polled attacks: the screen still takes keys, a one-shot view still ends.

The limits are those of a machine that does other things as well; tests/benchmarks/attacks.py
prints the figures themselves.
"""

import subprocess
import sys

import pytest

from tests.benchmarks.attacks import app, attacked
from tests.cli.command import TOKENTOP

WORST = ("2 MiB of {}", "2 MiB of series", "one-byte chunks", "endless 100 Continue",
         "eight 16 MiB Prometheus answers")  # fmt: skip

OTHERS = ("2 MiB of escapes", "nested brackets", "endless trailers", "tiny segments")

MEASURED = """
import sys
from tests.benchmarks.process import run
from os import environ
one = run(sys.argv[1:], environ)
print(one.wall_s, one.peak_mib)
"""


@pytest.mark.parametrize("name", [*WORST, *OTHERS])
def test_a_one_shot_ends_in_bounded_memory(name: str) -> None:
    """It ends by its deadline, with an exit code of its own, within 120 MiB."""
    with attacked(name) as env:
        # From a small process: a child's peak counts what its parent was when it forked.
        found = subprocess.run(
            [sys.executable, "-c", MEASURED, TOKENTOP, "--json"],
            env=env,
            capture_output=True,
            check=True,
        )
    wall_s, peak_mib = map(float, found.stdout.split())
    assert wall_s < 10.0  # 3 s where nothing else runs
    assert peak_mib < 120.0


@pytest.mark.parametrize("name", WORST)
def test_the_screen_takes_keys_and_leaves(name: str) -> None:
    """`?` opens its table and `q` leaves, while all twelve ports attack."""
    with attacked(name) as env:
        seen = app(env, seconds=3.0)
    assert seen.worst_key_s < 1.5  # 0.1 s where nothing else runs
    assert seen.quit_s < 1.5
    assert seen.peak_mib < 120.0
