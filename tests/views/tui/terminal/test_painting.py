"""The screen comes back whole: after ctrl+z and fg, after a stop from outside, on ctrl+l."""

import ctypes
import os
import signal
from pathlib import Path

import pytest

from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal
from tests.views.tui.terminal.emulator import shown

SIZE = (100, 30)
LAST = b"theme"  # the last word of the footer


def screen(stream: bytes) -> str:
    """What a blank terminal shows after these bytes."""
    return shown(stream.decode().rpartition("\x18")[2], *SIZE)


def settled(terminal: PseudoTerminal, *words: bytes) -> str:
    """The screen once these words were sent, and nothing more comes: the demo stands still."""
    terminal.read_until(*words)
    known = -1
    while len(terminal.seen) > known:
        known = len(terminal.seen)
        terminal.read_some()
    return screen(terminal.seen)


def stopped(terminal: PseudoTerminal) -> None:
    """Wait until the process has stopped; it is read meanwhile, or it could not write and stop."""
    while not terminal.changed(os.WSTOPPED):
        pass


def restarted(terminal: PseudoTerminal) -> str:
    """The screen after `fg`, from nothing."""
    terminal.read_some()
    terminal.forget()
    terminal.send_signal(signal.SIGCONT)
    return settled(terminal, b"\x1b[?1049h", LAST)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_after_ctrl_z_and_fg_everything_is_painted_again(env: dict[str, str]) -> None:
    """The terminal is the shell's meanwhile, and afterwards every cell is there and keys work."""
    with PseudoTerminal(STILL, env, size=SIZE) as terminal:
        before = settled(terminal, LAST, b"services")
        terminal.press(b"\x1a")
        stopped(terminal)
        assert terminal.settings() == terminal.attrs
        assert restarted(terminal) == before
        terminal.press(b"2")
        terminal.read_until(b"Processes")


def test_after_a_stop_from_outside_everything_is_painted_again(env: dict[str, str]) -> None:
    """SIGSTOP leaves no time to restore anything; there is one reader of keys afterwards."""
    with PseudoTerminal(STILL, env, size=SIZE) as terminal:
        before = settled(terminal, LAST, b"services")
        terminal.send_signal(signal.SIGSTOP)
        stopped(terminal)
        assert restarted(terminal) == before
        terminal.press(b"+")
        terminal.read_until(b"Polling every 5 s")
        terminal.press(b"q")
        assert terminal.wait()[0] == 0
        assert terminal.settings() == terminal.attrs


def test_whichever_thread_takes_the_signal_all_is_painted_again(env: dict[str, str]) -> None:
    """The kernel may choose any, and nothing else wakes the main thread of a frozen demo."""
    with PseudoTerminal(STILL, env, size=SIZE) as terminal:
        before = settled(terminal, LAST, b"services")
        threads = os.listdir(f"/proc/{terminal.process.pid}/task")
        terminal.forget()
        another = max(map(int, threads))
        assert ctypes.CDLL(None).tgkill(terminal.process.pid, another, signal.SIGCONT) == 0
        assert settled(terminal, b"\x1b[?1049h", LAST) == before


def test_ctrl_l_paints_everything_again(env: dict[str, str]) -> None:
    """Whatever another program has written over it, and help where it is open."""
    with PseudoTerminal(STILL, env, size=SIZE) as terminal:
        terminal.read_until(LAST, b"services")
        for over, word in ((b"", b"services"), (b"?", b"Keys")):
            terminal.press(over)
            before = settled(terminal, word)
            terminal.forget()
            terminal.press(b"\x0c")
            assert settled(terminal, LAST, word) == before
