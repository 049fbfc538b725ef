"""A stand-in for libnvidia-ml.so.1, so that the real pynvml is tested on machines without a GPU.

`fake_nvml.c` is compiled once a session with this machine's C compiler. Tests take the fixture
`fake_nvml`; benchmarks call `build` themselves. Anything run with `env(scenario)` in its
environment finds the GPUs of tests/fake_nvml/scenarios/<scenario>.scn.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
NO_COMPILER = "no C compiler (cc, gcc or clang) to build the fake NVML library with"
_FLAGS = ("-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread")


class CannotBuild(Exception):
    """Why there is no fake library on this machine, in one sentence."""


class FakeNvml(NamedTuple):
    """The compiled libraries' folders: of today's driver, and of one without v2 and v3 calls."""

    driver: Path
    old_driver: Path

    def scenario(self, name: str) -> Path:
        """The file that describes the GPUs; the library reads it again whenever it changes."""
        path = HERE / "scenarios" / f"{name}.scn"
        assert path.exists(), f"no scenario {name}"
        return path

    def env(
        self,
        scenario: str | Path,
        *,
        log: Path | None = None,
        trace: Path | None = None,
        old: bool = False,
    ) -> dict[str, str]:
        """What to add to the environment of a process that shall see these GPUs.

        `log` receives "function calls errors" lines, `trace` one line a call.
        """
        path = scenario if isinstance(scenario, Path) else self.scenario(scenario)
        library = self.old_driver if old else self.driver
        found = {"LD_LIBRARY_PATH": str(library), "FAKE_NVML_SCENARIO": str(path)}
        if log is not None:
            found["FAKE_NVML_LOG"] = str(log)
        if trace is not None:
            found["FAKE_NVML_TRACE"] = str(trace)
        return found


def build(folder: Path) -> FakeNvml:
    """Compile both libraries into `folder`; raises CannotBuild."""
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        raise CannotBuild(NO_COMPILER)
    fake = FakeNvml(folder / "lib", folder / "old-lib")
    running = [_compile(compiler, fake.driver), _compile(compiler, fake.old_driver, "OLD")]
    for process in running:
        _, errors = process.communicate(timeout=120)
        if process.returncode != 0:
            raise CannotBuild(f"the fake NVML library does not compile: {errors[-500:]}")
    return fake


def calls(log: Path) -> dict[str, int]:
    """How often each NVML function was called, from the file given as `log`."""
    lines = (line.split() for line in log.read_text().splitlines() if not line.startswith("#"))
    return {words[0]: int(words[1]) for words in lines if words[0] != "total"}


def _compile(compiler: str, folder: Path, variant: str = "") -> "subprocess.Popen[str]":
    folder.mkdir(parents=True, exist_ok=True)
    define = (f"-DFAKE_NVML_{variant}",) if variant else ()
    target = ("-Wl,-soname,libnvidia-ml.so.1", "-o", str(folder / "libnvidia-ml.so.1"))
    return subprocess.Popen(
        [*compiler.split(), *_FLAGS, *define, *target, str(HERE / "fake_nvml.c")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
