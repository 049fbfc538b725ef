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
LIBRARY = "libnvidia-ml.so.1"
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

    def variant(self, define: str) -> Path:
        """The folder of the library built with FAKE_NVML_<define>, compiled when first needed.

        "R535" has that driver's process lists; "BUILD=..." answers under one driver version only.
        """
        name, _, value = define.partition("=")
        folder = self.driver.parent / f"{name}-{value}-lib"
        if not (folder / LIBRARY).exists():
            define = f'{name}="{value}"' if value else name
            _finish(_compile(_compiler(), folder, define))
        return folder

    def env(
        self,
        scenario: str | Path,
        *,
        log: Path | None = None,
        trace: Path | None = None,
        library: Path | None = None,
    ) -> dict[str, str]:
        """What to add to the environment of a process that shall see these GPUs.

        `log` receives "function calls errors" lines, `trace` one line a call; `library` is the
        folder of another library than today's driver's.
        """
        path = scenario if isinstance(scenario, Path) else self.scenario(scenario)
        folder = library or self.driver
        found = {"LD_LIBRARY_PATH": str(folder), "FAKE_NVML_SCENARIO": str(path)}
        if log is not None:
            found["FAKE_NVML_LOG"] = str(log)
        if trace is not None:
            found["FAKE_NVML_TRACE"] = str(trace)
        return found


def build(folder: Path) -> FakeNvml:
    """Compile both libraries into `folder`; raises CannotBuild."""
    compiler = _compiler()
    fake = FakeNvml(folder / "lib", folder / "old-lib")
    running = [_compile(compiler, fake.driver), _compile(compiler, fake.old_driver, "OLD")]
    for process in running:
        _finish(process)
    return fake


def calls(log: Path) -> dict[str, int]:
    """How often each NVML function was called, from the file given as `log`."""
    lines = (line.split() for line in log.read_text().splitlines() if not line.startswith("#"))
    return {words[0]: int(words[1]) for words in lines if words[0] != "total"}


def _compiler() -> str:
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        raise CannotBuild(NO_COMPILER)
    return compiler


def _compile(compiler: str, folder: Path, define: str = "") -> "subprocess.Popen[str]":
    folder.mkdir(parents=True, exist_ok=True)
    variant = (f"-DFAKE_NVML_{define}",) if define else ()
    target = (f"-Wl,-soname,{LIBRARY}", "-o", str(folder / LIBRARY))
    return subprocess.Popen(
        [*compiler.split(), *_FLAGS, *variant, *target, str(HERE / "fake_nvml.c")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: "subprocess.Popen[str]") -> None:
    _, errors = process.communicate(timeout=120)
    if process.returncode != 0:
        raise CannotBuild(f"the fake NVML library does not compile: {errors[-500:]}")
