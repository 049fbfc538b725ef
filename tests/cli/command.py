"""The installed command in a subprocess or a pseudo-terminal, in an environment of its own."""

import os
import pty
import select
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from fcntl import ioctl
from functools import cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from struct import pack
from time import monotonic
from unittest.mock import patch

from tokentop.cli import main
from tokentop.sources.aither.endpoints import SERVICES

TOKENTOP = str(Path(sys.executable).parent / "tokentop")
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens
PATIENCE_S = 20.0  # a loaded machine is slow; a hang is not waited for for ever


@cache
def _runtime() -> tempfile.TemporaryDirectory[str]:
    """Where the commands of this process's tests leave what they know, for each other alone."""
    return tempfile.TemporaryDirectory(prefix="tokentop-tests-")


def environment(stack: str = NOWHERE, **more: str) -> dict[str, str]:
    """A clean environment in which all seven services live at `stack`; nothing is searched."""
    urls = {service.env: stack for service in SERVICES.values()}
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm-256color"}
    base["XDG_RUNTIME_DIR"] = _runtime().name
    base["TOKENTOP_DISCOVERY"] = "false"  # other tests serve engines on this machine
    base["TOKENTOP_HISTORY"] = "false"  # one test's past is not another's
    return {**base, "LANG": "C.UTF-8", "AITHER_CA_BUNDLE": "", **urls, **more}


def run(
    *words: str, env: Mapping[str, str] | None = None, wrapper: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command with pipes until it ends."""
    return subprocess.run(
        [*wrapper, TOKENTOP, *words],
        env=dict(env or environment()),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def in_process(
    *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command's own `main` in the tests' process, for what prints a little and ends.

    A start of the interpreter costs more than that; each such path has a test with `run` as well.
    Without the GPUs of this machine: while a driver's library is being loaded `main` ends at once.
    """
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    given = patch.dict(os.environ, env or environment(), clear=True)
    with given, redirect_stdout(out), redirect_stderr(err):
        code = main(list(words))
    printed = (each.detach().getvalue().decode() for each in (out, err))
    return subprocess.CompletedProcess(words, code, *printed)


@contextmanager
def started(*words: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """The command running, its output in pipes; killed at the end if it still runs."""
    process = subprocess.Popen(
        [TOKENTOP, *words],
        env=dict(env or environment()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


class Terminal:
    """The command in a pseudo-terminal of its own; `seen` is all it has written so far."""

    def __init__(
        self,
        *words: str,
        env: Mapping[str, str],
        columns: int = 80,
        wrapper: tuple[str, ...] = (),
    ) -> None:
        self.seen = ""
        self._code: int | None = None
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.execvpe((*wrapper, TOKENTOP)[0], [*wrapper, TOKENTOP, *words], dict(env))
        ioctl(self._fd, termios.TIOCSWINSZ, pack("HHHH", 24, columns, 0, 0))

    def until(self, text: str, times: int = 1) -> None:
        """Read until `text` was seen that often; fails when the command ends first."""
        deadline = monotonic() + 3 * PATIENCE_S
        while self.seen.count(text) < times:
            assert monotonic() < deadline, f"{text!r} was not seen in {self.seen[-4000:]!r}"
            assert self._read(), f"{text!r} was not seen in {self.seen!r}"

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def signal(self, number: int) -> None:
        os.kill(self._pid, number)

    def end(self) -> int:
        """Read to the end and return the exit code, negative for a signal."""
        deadline = monotonic() + PATIENCE_S
        while self._read():
            assert monotonic() < deadline, f"it goes on: {self.seen[-400:]!r}"
        return self._wait()

    def close(self) -> None:
        if self._code is None:
            os.kill(self._pid, 9)
            self._wait()
        os.close(self._fd)

    def _wait(self) -> int:
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def _read(self) -> bool:
        before = monotonic()
        ready, _, _ = select.select([self._fd], [], [], PATIENCE_S)
        assert ready, f"silent for {monotonic() - before:.0f} s after {self.seen!r}"
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # Linux says EIO when the other end is closed
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def in_terminal(
    *words: str,
    env: Mapping[str, str] | None = None,
    columns: int = 80,
    wrapper: tuple[str, ...] = (),
) -> Iterator[Terminal]:
    """The command in a pseudo-terminal; killed at the end if it still runs."""
    terminal = Terminal(*words, env=env or environment(), columns=columns, wrapper=wrapper)
    try:
        yield terminal
    finally:
        terminal.close()
