"""The app for hours under everything at once: does it crash, grow, leak or answer late?

    python -m tests.benchmarks.soak [--minutes 10] [--seed N]

Services and engines that misbehave, come and go; GPUs of changing scenarios, lost and hanging ones
too; keys, clicks and pastes; resizes. The seed repeats what is done, not when the app sees it.
A crash is printed with what had happened before, and the app is started anew.
"""

import argparse
import fcntl
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.screen import Terminal
from tests.benchmarks.soak_report import Figures, Sample, report
from tests.benchmarks.soak_world import Where
from tests.benchmarks.world import command, environ
from tests.fake_nvml import HERE, build

SCENARIOS = sorted((HERE / "scenarios").glob("*.scn"))
KEYS = (
    *(key.encode() for key in "1234hec$uwpprs+-=_djkgGtty? "),
    b"\t", b"\r", b"\x1b", b"\x1b[A", b"\x1b[B", b"\x1b[5~", b"\x1b[6~", b"\x10\x1b", b"S",
    b"/vl", b"/\x7f", b"\x1b[200~pasted \xe6\xa8\xa1\x1b[201~", b"\x1b[48;9999;9999;1;1t",
    b"\x1b[<0;20;5M\x1b[<0;20;5m", b"\x1b[<64;9;9M", b"\x1b[<65;9;9M",
    b"\x1b[<0;5;5M\x1b[<32;30;9M\x1b[<0;30;9m", b"\xff\xfe",
)  # fmt: skip
PROBE_SIZE = (30, 100)
PROBE_SIGN = b"closes"  # of the help: any other key closes
PROBE_LIMIT_S = 10.0
WARM_S = 20.0  # until connections are open and every module is there


class Soak:
    """One run: a world, a terminal, and random things done to both."""

    def __init__(self, env: Mapping[str, str], world: "WorldProcess", gpus: Path, seed: int):
        self._env = dict(env)
        self._world = world
        self._gpus = gpus
        self._random = random.Random(seed)
        self._terminal = self._start()
        self._tail = b""
        self.figures = Figures()

    def run(self, seconds: float) -> None:
        """Do random things, each at its own random times, and watch what becomes of the app."""
        end = time.monotonic() + seconds
        due = dict.fromkeys((self._press, self._resize, self._change_world, self._probe), 0.0)
        due |= {self._change_gpus: 0.0, self._sample: 0.0}
        while (now := time.monotonic()) < end:
            for act, at in due.items():
                if now >= at:
                    due[act] = now + act()
            self._read(0.02)
            if self._ended() is not None:
                self._crashed(self._ended())
                self._terminal = self._start()
                self._status = None

    def leave(self) -> tuple[int | None, float]:
        """The exit code of `q`, and the seconds it took; None where it does not end."""
        for key in (b"\x1b", b"\x1b", b"\x1b"):
            self._send(key)
            self._read(0.3)
        began = time.monotonic()
        self._send(b"q")
        while self._ended() is None and time.monotonic() - began < PROBE_LIMIT_S:
            self._read(0.01)
        taken, code = time.monotonic() - began, self._ended()
        if code is None:
            self._terminal.close()
        return code, taken

    _status: int | None = None

    def _start(self) -> Terminal:
        return Terminal([command("tokentop")], self._env, PROBE_SIZE)

    def _ended(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self._terminal.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def _crashed(self, code: int | None) -> None:
        text = self._tail.decode(errors="replace").rpartition("\x1b[?1004l")[2][-1500:]
        self.figures.crashes.append(
            f"exit code {code} after {self._age():.0f} s: {text.strip() or '(no message)'}\n"
            f"  before that: {'; '.join(self.figures.latest)}"
        )
        self.figures.samples.clear()
        self._tail = b""
        os.close(self._terminal.fd)

    def _age(self) -> float:
        return time.monotonic() - self._terminal.started

    def _read(self, seconds: float, until: bytes | None = None) -> bytes:
        seen = self._terminal.read(seconds, until)
        self._tail = (self._tail + seen)[-8000:]
        return seen

    def _send(self, data: bytes) -> None:
        try:
            os.write(self._terminal.fd, data)
        except OSError:  # the app has ended: the next turn notices
            return

    def _press(self) -> float:
        key = self._random.choice(KEYS)
        self._send(key)
        self.figures.keys += 1
        self.figures.latest.append(f"key {key!r}")
        return self._random.uniform(0.02, 0.4)

    def _resize(self) -> float:
        size = (self._random.randint(1, 70), self._random.randint(1, 220))
        if self._random.random() < 0.02:
            size = (65535, 65535)
        self._set_size(size)
        self.figures.resizes += 1
        self.figures.latest.append(f"{size[1]}x{size[0]}")
        return self._random.uniform(0.5, 5.0)

    def _set_size(self, size: tuple[int, int]) -> None:
        packed = struct.pack("HHHH", *size, 0, 0)
        fcntl.ioctl(self._terminal.fd, termios.TIOCSWINSZ, packed)
        if self._ended() is None:
            os.kill(self._terminal.pid, signal.SIGWINCH)

    def _change_world(self) -> float:
        self.figures.latest.append(self._world.change())
        self.figures.changes += 1
        return self._random.uniform(0.3, 3.0)

    def _change_gpus(self) -> float:
        scenario = self._random.choice(SCENARIOS)
        replace(self._gpus, scenario)
        self.figures.changes += 1
        self.figures.latest.append(f"GPUs: {scenario.stem}")
        return self._random.uniform(3.0, 15.0)

    def _sample(self) -> float:
        if self._age() < WARM_S:
            return 1.0
        folder = Path(f"/proc/{self._terminal.pid}")
        try:
            counts = (len(os.listdir(folder / "fd")), len(os.listdir(folder / "task")))
            memory = self._terminal.resident_mib()
        except (OSError, StopIteration):  # it has ended
            return 1.0
        self.figures.samples.append(Sample(self._age(), memory, *counts))
        return 1.0

    def _probe(self) -> float:
        """How long `?` takes to show the help, from whatever state the screen is in."""
        if self._age() < WARM_S:
            return 1.0
        self._set_size(PROBE_SIZE)
        for _ in range(3):
            self._send(b"\x1b")
            self._read(0.25)
        began = time.monotonic()
        self._send(b"?")
        seen = self._read(PROBE_LIMIT_S, PROBE_SIGN)
        if PROBE_SIGN in seen or self._ended() is None:
            self.figures.delays.append(time.monotonic() - began)
        self._send(b"\x1b")
        return self._random.uniform(3.0, 8.0)


class WorldProcess:
    """The servers, in a process of their own."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._asking, self._answers = child.stdin, child.stdout
        self.where = Where(*json.loads(self._answers.readline()))

    def change(self) -> str:
        self._asking.write("\n")
        self._asking.flush()
        return self._answers.readline().strip()


def replace(place: Path, scenario: Path) -> None:
    """The library reads the file again whenever it changes, and must never see half of it."""
    beside = place.with_suffix(".new")
    beside.write_text(scenario.read_text())
    beside.rename(place)


@contextmanager
def world(seed: int) -> Iterator[WorldProcess]:
    asked = [sys.executable, "-m", "tests.benchmarks.soak_world", str(seed)]
    with subprocess.Popen(
        asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        try:
            yield WorldProcess(child)
        finally:
            child.kill()


def configured(where: Where, gpus: Mapping[str, str]) -> dict[str, str]:
    """An environment whose configuration names the engines, and the ports where others come."""
    env = environ(where.environ, dict(gpus))
    place = Path(env["XDG_CONFIG_HOME"]) / "tokentop"
    place.mkdir(exist_ok=True)
    rows = "".join(f'[[engine]]\nurl = "{url}"\n' for url in where.engines)
    text = f"interval = 1.0\n[discovery]\nports = {where.ports}\n[cost]\nusd_per_gpu_hour = 2.5\n"
    (place / "config.toml").write_text(text + rows)
    return env


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, world(given.seed) as servers:
        os.chdir(folder)  # where screenshots go; modules are loaded by now
        gpus = Path(folder) / "gpus.scn"
        replace(gpus, SCENARIOS[0])
        env = configured(servers.where, build(Path(folder)).env(gpus))
        soak = Soak(env, servers, gpus, given.seed)
        soak.run(given.minutes * 60)
        left = soak.leave()
    print(report(soak.figures, left, given.seed))
    return 1 if soak.figures.crashes or left[0] != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
