"""The same world for every benchmark: fake GPUs, and seven services in a process of their own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fake_nvml import build

BIN = Path(sys.executable).parent


def command(name: str) -> str:
    """The installed command beside this interpreter."""
    path = BIN / name
    if not path.exists():
        raise SystemExit(f"{name} is not installed here: pip install -e '.[dev,bench]'")
    return str(path)


@contextmanager
def services(*, delay_s: float = 0.0, hanging: str = "") -> Iterator[dict[str, str]]:
    """AITHER_*_URL of seven services that answer after `delay_s`, one perhaps never."""
    asked = [sys.executable, "-m", "tests.benchmarks.services", str(delay_s), hanging]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.kill()


@contextmanager
def fake_gpus(scenario: str = "eight", **more: Path) -> Iterator[dict[str, str]]:
    """What to add to the environment so that a process sees the scenario's GPUs."""
    with tempfile.TemporaryDirectory() as folder:
        yield build(Path(folder)).env(scenario, **more)


def environ(*added: dict[str, str]) -> dict[str, str]:
    """A plain environment of our own: no configuration, and no interval or history of a run before.

    A key of the soak's had set every later benchmark to a poll each 30 s.
    """
    base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    folder = tempfile.mkdtemp(prefix="tokentop-bench-")
    base.update(dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), folder))
    for more in added:
        base.update(more)
    return base
