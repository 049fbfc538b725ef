"""The bench on which every test of the driver stands."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fake_nvml import FakeNvml, calls
from tests.fake_nvml.plugin import fake_nvml  # noqa: F401  # a fixture

ROOT = Path(__file__).parents[3]


def printed(module: str, *words: str, environment: dict[str, str]) -> Any:
    """The JSON that a module prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Bench:
    """Reads the fake library's GPUs in a process of their own, step by step."""

    def __init__(self, fake: FakeNvml, folder: Path) -> None:
        self.fake = fake
        self.folder = folder
        self.sysfs = folder / "sys"
        self.proc = folder / "proc"
        self.log = folder / "calls.log"
        self.trace = folder / "calls.trace"

    def read(
        self, scenario: str | Path, *steps: Any, library: Path | None = None, wanted: str = ""
    ) -> list[dict]:
        """The readings at the given monotonic times; between them, other steps of probe.py.

        `library` is the folder of another library, `wanted` names fields of Wanted.
        """
        running = self.folder / "running.scn"
        shutil.copy(self._file(scenario), running)
        found = self.fake.env(running, log=self.log, trace=self.trace, library=library)
        if wanted:
            found["WANTED"] = wanted
        answers = self.run([self._step(step) for step in steps or (0.0,)], found)
        assert not self.log.exists() or "parse_errors=0" in self.log.read_text()
        return answers

    def run(self, steps: list[dict], environment: dict[str, str]) -> list[dict]:
        words = (str(self.sysfs), str(self.proc), json.dumps(steps))
        return printed("tests.transport.nvml.probe", *words, environment=environment)

    def devices(self, scenario: str | Path, **more: Any) -> list[dict]:
        """The devices of one reading."""
        return self.read(scenario, **more)[0]["devices"]

    def changed(self, scenario: str, *lines: str, **replaced: str) -> Path:
        """A scenario file made of `scenario`, with lines added and words replaced."""
        text = self.fake.scenario(scenario).read_text()
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        path = self.folder / f"{scenario}-{len(list(self.folder.iterdir()))}.scn"
        path.write_text(text + "".join(f"{line}\n" for line in lines))
        return path

    def calls(self) -> dict[str, int]:
        return calls(self.log)

    def traced(self) -> list[tuple[str, int, int]]:
        """(function, device, MIG slot) of each call, -1 for none, in order."""
        lines = (line.split() for line in self.trace.read_text().splitlines())
        return [(words[2], int(words[3]), int(words[4])) for words in lines]

    def pci(self, address: str, *, status: str = "active", **files: str) -> None:
        """Put an NVIDIA display device into sysfs; `files` differ from that."""
        device = self.sysfs / "bus/pci/devices" / address
        (device / "power").mkdir(parents=True)
        known = {"vendor": "0x10de", "class": "0x030200", **files}
        (device / "vendor").write_text(known["vendor"] + "\n")
        (device / "class").write_text(known["class"] + "\n")
        (device / "power/runtime_status").write_text(status + "\n")
        (device / "driver").symlink_to(f"../../../drivers/{known.get('driver', 'nvidia')}")

    def process(
        self,
        pid: int,
        command: str,
        *,
        name: str = "short",
        state: str = "S",
        stat: str | None = None,
    ) -> None:
        """Put a process into /proc; `command` has its arguments separated by NULs.

        `stat` is the whole text of its file, where the first fields do not do.
        """
        folder = self.proc / str(pid)
        folder.mkdir(parents=True)
        (folder / "stat").write_text(f"{pid} ({name}) {state} 1 1\n" if stat is None else stat)
        (folder / "cmdline").write_text(command)

    def _step(self, step: Any) -> dict:
        if isinstance(step, dict):
            return step
        if isinstance(step, str | Path):
            return {"scenario": str(self._file(step))}
        return {"now": float(step)}

    def _file(self, scenario: str | Path) -> Path:
        return scenario if isinstance(scenario, Path) else self.fake.scenario(scenario)


@pytest.fixture
def bench(fake_nvml: FakeNvml, tmp_path: Path) -> Bench:  # noqa: F811
    return Bench(fake_nvml, tmp_path)
