"""The installed program in a pseudo-terminal, and the bytes that it sends."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

DEADLINE_S = 20.0  # generous: only a failure takes this long
COMMAND = (sys.executable, "-m", "tokentop")
STILL = ("--demo=stack", "--demo-at", "8")  # a picture that stands, after few polls


class PseudoTerminal:
    """A running tokentop with its own terminal; use as a context manager."""

    def __init__(
        self,
        args: Sequence[str],
        env: Mapping[str, str],
        *,
        size: tuple[int, int] = (80, 24),
        command: Sequence[str] = COMMAND,
        controlling: bool = True,
        stdin: int | None = None,
    ) -> None:
        """Without `controlling` no signal comes when the terminal vanishes; `stdin` replaces it."""
        self.seen = b""
        self._vanished = False
        self._near, far = pty.openpty()
        resize(far, size)
        self.attrs = termios.tcgetattr(far)
        self._far = far
        self.process = subprocess.Popen(
            [*command, *args],
            stdin=far if stdin is None else stdin,
            stdout=far,
            stderr=subprocess.PIPE,
            env=clean_environment(env),
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0)) if controlling else None,
        )

    def __enter__(self) -> "PseudoTerminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        if not self._vanished:
            self.vanish()

    def vanish(self) -> None:
        """Close the terminal, as a lost connection or a closed window does."""
        self._vanished = True
        os.close(self._near)
        os.close(self._far)

    def read_until(self, *wanted: bytes, deadline_s: float = DEADLINE_S) -> bytes:
        """Read until every one of `wanted` was seen; fails at the deadline with what was seen."""
        end = time.monotonic() + deadline_s
        while not all(text in self.seen for text in wanted):
            left = end - time.monotonic()
            missing = [text for text in wanted if text not in self.seen]
            assert left > 0, f"never saw {missing} in {self.seen[-2000:]!r}"
            if select.select([self._near], [], [], min(left, 0.2))[0]:
                self.seen += os.read(self._near, 65536)
        return self.seen

    def read_some(self) -> None:
        """Read what comes within a tenth of a second."""
        if select.select([self._near], [], [], 0.1)[0]:
            self.seen += os.read(self._near, 65536)

    def press(self, keys: bytes) -> None:
        os.write(self._near, keys)

    def forget(self) -> None:
        """Start looking from here on."""
        self.seen = b""

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, deadline_s: float = DEADLINE_S) -> tuple[int, float]:
        """The exit code and the seconds until it came; the terminal is read meanwhile.

        Seconds in which other programs had the process's CPU, or this one's, do not count.
        """
        start, queued = time.monotonic(), self._queued_s()
        while not self.changed(os.WEXITED):
            assert time.monotonic() - start < deadline_s, "the process does not end"
        ended = time.monotonic() - start - (self._queued_s() - queued)
        code = self.process.wait()
        while select.select([self._near], [], [], 0)[0]:
            self.seen += os.read(self._near, 65536)
        return code, ended

    def changed(self, kind: int) -> bool:
        """Whether the process has ended (os.WEXITED) or stopped (os.WSTOPPED); reads meanwhile."""
        if select.select([self._near], [], [], 0.01)[0]:
            self.seen += os.read(self._near, 65536)
        if self.process.returncode is not None:
            return True
        pid = self.process.pid
        return os.waitid(os.P_PID, pid, kind | os.WNOHANG | os.WNOWAIT) is not None

    def _queued_s(self) -> float:
        """Seconds that it and this process were ready to run and had no CPU."""
        child = [] if self.process.returncode is not None else [self.process.pid]
        files = [Path(f"/proc/{pid}/schedstat") for pid in (os.getpid(), *child)]
        return sum(int(file.read_text().split()[1]) for file in files) / 1e9

    def errors(self) -> str:
        """What it wrote on standard error; call it after the process has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def settings(self) -> list[object]:
        """The terminal's settings now, as termios gives them."""
        return termios.tcgetattr(self._far)

    def resize(self, size: tuple[int, int]) -> None:
        resize(self._far, size)
        self.send_signal(signal.SIGWINCH)


def resize(fd: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what changes the picture or the sources."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AITHER_", "TOKENTOP_", "TEXTUAL", "FAKE_NVML"))
        and name not in ("NO_COLOR", "COLORTERM", "TMUX", "STY", "COLUMNS", "LINES")
    }
    # No choices of another run, and none left behind: nothing can be made there, even by root.
    kept["XDG_STATE_HOME"] = "/proc/nowhere"
    kept["TOKENTOP_HISTORY"] = "false"  # one test's past is not another's
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", **extra}
