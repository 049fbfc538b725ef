"""The calls of one line answer as pynvml's do, for every scenario and every age of driver."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_nvml import FakeNvml
from tests.transport.nvml.conftest import printed
from tokentop.transport.nvml.light_calls import LIGHT_CALLS

SCENARIOS = Path(__file__).parents[2] / "fake_nvml" / "scenarios"
LEFT_OUT = {"four_hang", "hang_at_once", "slow", "moving"}  # too slow, or never the same twice


def answers(fake: FakeNvml, folder: Path, library: Path) -> dict[str, list]:
    files = [str(one) for one in SCENARIOS.glob("*.scn") if one.stem not in LEFT_OUT]
    environment = fake.env(folder / "running.scn", library=library)
    module = "tests.transport.nvml.light_beside_pynvml"
    return printed(module, *sorted(files), environment=environment)


@pytest.mark.parametrize("driver", ["today", "old", "R535"])
def test_they_answer_as_pynvml_does(driver: str, fake_nvml: FakeNvml, tmp_path: Path) -> None:
    library = {"today": fake_nvml.driver, "old": fake_nvml.old_driver}.get(driver)
    found = answers(fake_nvml, tmp_path, library or fake_nvml.variant(driver))
    calls = [row for rows in found.values() for row in rows]
    assert [row for row in calls if row[1] != row[2]] == []
    assert {name for name, *_ in calls} == set(LIGHT_CALLS)
    assert any(isinstance(ours, list) and ours and ours[0] for _, ours, _ in calls)
    assert any(isinstance(ours, dict) for _, ours, _ in calls)


LOADING = """
from time import monotonic
from tokentop.transport.nvml.calls import Calls
from tokentop.transport.nvml.shared_library import is_loading, load
calls = Calls(monotonic)
calls.stopped = True
print(load(calls) is None, is_loading())
calls.stopped = False
print(load(calls) is None, is_loading())
"""


def test_nothing_is_loaded_once_the_calls_are_stopped(fake_nvml: FakeNvml) -> None:
    """A library that hangs in loading would hold the end of a process that no longer looks."""
    done = subprocess.run(
        [sys.executable, "-c", LOADING],
        env={**os.environ, **fake_nvml.env("eight")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["True", "False", "False", "False"], done.stderr
