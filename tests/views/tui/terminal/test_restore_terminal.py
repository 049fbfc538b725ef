"""Quitting, in a pseudo-terminal: at once whatever hangs, with the terminal restored."""

import os
import select
import signal
import socket
import sys
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fake_nvml import FakeNvml
from tests.fake_nvml.plugin import fake_nvml
from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal
from tokentop.views.tui.terminal.restore_terminal import RESTORE, Terminal, on_signals

__all__ = ["fake_nvml"]

RESTORED = (
    b"\x1b[?1049l",
    b"\x1b[?25h",
    b"\x1b[?1000l",
    b"\x1b[?1003l",
    b"\x1b[?2004l",
    b"\x1b[<u",
)
READY = (b"\x1b[?1049h", b"tokentop")
QUIT_WITHIN_S = 0.3
SERVICES = ("GENESIS", "MICROSCHEDULER", "COMPUTE", "ACCEL", "PARALLEL", "STRATA", "ACTA")

HANGING_RESOLVER = "import socket, time\nsocket.getaddrinfo = lambda *a, **k: time.sleep(600)\n"
CRASHING = """
import sys
from tokentop.cli import main
from tokentop.collect.collector import Collector
from tokentop.views.tui.app import TokentopApp
from tokentop.views.tui.terminal.driver import Driver

def broken(self, *args):
    hidden_local = "local-" + "hunter2"
    raise RuntimeError("broken at http://user:pass@example.test/x?key=hunter3 and s3cr3t-token")

owner, name = {
    "key": (TokentopApp, "action_sort"),
    "poll": (Collector, "record"),
    "driver": (Collector, "record_gpus"),
    "input": (Driver, "process_message"),
}[sys.argv.pop(1)]
setattr(owner, name, broken)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def _hanging_services(port: int) -> dict[str, str]:
    return {f"AITHER_{name}_URL": f"http://127.0.0.1:{port}" for name in SERVICES}


def at_once(left: Callable[[], float]) -> bool:
    """Whether leaving takes as long as it may; once, or twice, it may wait for others' threads."""
    return any(left() < QUIT_WITHIN_S for _ in range(3))


def _restored(terminal: PseudoTerminal) -> None:
    for sequence in RESTORED:
        assert sequence in terminal.seen, f"{sequence!r} is missing"
    left = terminal.seen.rpartition(b"\x1b[?1049l")[2]
    assert b"tokentop" not in left, "something was drawn on the user's own screen"
    assert terminal.settings() == terminal.attrs


def _left(env: dict[str, str], shown: bytes, key: bytes = b"q") -> float:
    """Seconds from the key to the end of a screen that had shown so much, and is restored."""
    with PseudoTerminal([], env) as terminal:
        terminal.read_until(*READY, shown)
        terminal.press(key)
        code, seconds = terminal.wait()
        assert code == 0
        _restored(terminal)
        return seconds


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl+c"])
def test_a_key_leaves_at_once_while_every_service_hangs(
    key: bytes, hanging_port: int, tmp_path: Path
) -> None:
    """q and ctrl+c end the process within 0.3 s with code 0 and a restored terminal."""
    env = {**_hanging_services(hanging_port), "XDG_CONFIG_HOME": str(tmp_path)}

    assert at_once(lambda: _left(env, b"asking", key))


def test_q_leaves_at_once_while_the_driver_hangs(fake_nvml: FakeNvml, tmp_path: Path) -> None:
    """A driver that never returns from its first call does not hold the process."""
    trace = tmp_path / "trace"
    env = {**fake_nvml.env("hang_at_once", log=trace), "XDG_CONFIG_HOME": str(tmp_path)}

    assert at_once(lambda: _left(env, b"does not answer"))
    assert "nvmlInit" in trace.read_text(), "the driver was never called, so nothing hung"


def test_q_leaves_at_once_while_name_lookup_hangs(tmp_path: Path) -> None:
    """A resolver that never returns holds asyncio's own shutdown, but not ours."""
    (tmp_path / "sitecustomize.py").write_text(HANGING_RESOLVER)
    env = {"PYTHONPATH": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    env |= {f"AITHER_{name}_URL": "http://nowhere.invalid:8001" for name in SERVICES}

    assert at_once(lambda: _left(env, b"asking"))


def test_q_leaves_at_once_while_the_terminal_reads_no_more(tmp_path: Path) -> None:
    """With 30 unread pictures pending q still ends the process and restores the terminal."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(["--demo"], env, size=(200, 60)) as terminal:
        terminal.read_until(*READY, b"DEMO")
        terminal.press(b"21" * 20 + b"q")
        code = terminal.process.wait(timeout=10)
        assert code == 0
        terminal.wait()  # only now it reads on
        _restored(terminal)
        assert bytes(terminal.seen).endswith(RESTORE.encode())


def test_a_full_terminal_that_reads_no_more_is_restored() -> None:
    """Everything is written, and not a byte has room: what is unread goes, and RESTORE comes."""
    near, far = os.openpty()
    tty.setraw(far)
    terminal = Terminal(far, far)
    os.set_blocking(far, False)
    with suppress(BlockingIOError):
        while True:
            os.write(far, b"x")
    os.set_blocking(far, True)
    terminal.restore()
    seen = b""
    while select.select([near], [], [], 0)[0]:
        seen += os.read(near, 65536)
    os.close(near)
    os.close(far)
    assert seen.endswith(RESTORE.encode())


LEAVING = ("TERM", "HUP", "INT", "QUIT", "ABRT", "USR2", "XCPU")
ENDING = [signal.Signals[f"SIG{name}"] for name in LEAVING]


@pytest.fixture
def undo_signals() -> Iterator[None]:
    """This process's own handlers are back after the test."""
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("undo_signals")
def test_every_signal_that_ends_a_program_leaves() -> None:
    """The same way, with 128 + its number."""
    codes: list[int] = []
    on_signals(codes.append)
    for number in ENDING:
        signal.raise_signal(number)
    assert codes == [128 + number for number in ENDING]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_restores_the_terminal(number: signal.Signals, tmp_path: Path) -> None:
    """The full screen leaves at once, and every one of them would have made it leave."""

    def left() -> float:
        with PseudoTerminal(STILL, {"XDG_CONFIG_HOME": str(tmp_path)}) as terminal:
            terminal.read_until(*READY, b"DEMO")
            assert caught(terminal.process.pid).issuperset(ENDING)
            terminal.send_signal(number)
            code, seconds = terminal.wait()
            assert code == 128 + number
            _restored(terminal)
            return seconds

    assert at_once(left)


def caught(pid: int) -> set[int]:
    """The signals for which a process has a handler of its own."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(status.partition("SigCgt:")[2].split()[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


@pytest.mark.parametrize("controlling", [True, False], ids=["hangup", "no signal"])
def test_a_vanished_terminal_ends_the_program(controlling: bool, tmp_path: Path) -> None:
    """Whether the kernel says so or not: nothing polls for a window that is closed."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(STILL, env, controlling=controlling) as terminal:
        terminal.read_until(*READY, b"DEMO")
        terminal.vanish()
        assert terminal.process.wait(timeout=5) == 128 + signal.SIGHUP


@pytest.mark.parametrize("fault", ["key", "poll", "driver", "input"])
def test_a_crash_restores_the_terminal_and_prints_no_secret(fault: str, tmp_path: Path) -> None:
    """A fault in a key's action, a polling worker or the input thread ends with code 1, a sentence
    and a traceback without locals, tokens or user names."""
    script = tmp_path / "crashing.py"
    script.write_text(CRASHING)
    token = tmp_path / "token"
    token.write_text("s3cr3t-token")
    config = tmp_path / "tokentop.toml"
    config.write_text(f'[services.genesis]\ntoken_file = "{token}"\n')
    args = [fault, "--demo", "--config", str(config)]
    with PseudoTerminal(args, {}, command=(sys.executable, str(script))) as terminal:
        terminal.read_until(READY[0])
        terminal.press(b"s")
        code, _ = terminal.wait()
        errors = terminal.errors()
        assert code == 1
        _restored(terminal)
    assert "RuntimeError" in errors
    assert "in broken" in errors
    assert "tokentop crashed" in errors
    for secret in ("hunter2", "hunter3", "user:pass", "s3cr3t-token"):
        assert secret not in errors
