"""Everything that is polled attacks: the screen still takes keys, a one-shot view still ends.

The limits are those of a machine that does other things as well; tests/benchmarks/attacks.py
prints the figures themselves.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(scope="module", params=[*WORST, *OTHERS])
def env(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """An environment in which everything attacks, for each attack."""
    with attacked(request.param) as found:
        config = Path(found["XDG_CONFIG_HOME"]) / "tokentop" / "config.toml"
        config.write_text("deadline = 1.0\n" + config.read_text())  # tiny segments last as long
        yield found


def test_a_one_shot_ends_in_bounded_memory(env: dict[str, str]) -> None:
    """It ends by its deadline, with an exit code of its own, within 120 MiB."""
    # From a small process: a child's peak counts what its parent was when it forked.
    found = subprocess.run(
        [sys.executable, "-c", MEASURED, TOKENTOP, "--json"],
        env=env,
        capture_output=True,
        check=True,
    )
    wall_s, peak_mib = map(float, found.stdout.split())
    assert wall_s < 8.0  # 1 s where nothing else runs
    assert peak_mib < 120.0


@pytest.mark.parametrize("env", WORST, indirect=True)
def test_the_screen_takes_keys_and_leaves(env: dict[str, str]) -> None:
    """`?` opens its table and `q` leaves, while all twelve ports attack."""
    seen = app(env, seconds=2.0)
    assert seen.worst_key_s < 1.5  # 0.1 s where nothing else runs
    assert seen.quit_s < 1.5
    assert seen.peak_mib < 120.0
