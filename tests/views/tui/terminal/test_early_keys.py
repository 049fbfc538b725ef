"""Keys that are typed before there is a screen: into the terminal as the program starts."""

import os
import signal
from pathlib import Path

import pytest

from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal

ALTERNATE_SCREEN = b"\x1b[?1049h"


def started(tmp_path: Path) -> PseudoTerminal:
    return PseudoTerminal(STILL, {"XDG_CONFIG_HOME": str(tmp_path)})


def loads(terminal: PseudoTerminal) -> None:
    """Wait until the terminal's settings say that keys are read."""
    while terminal.settings() == terminal.attrs:
        assert terminal.process.poll() is None


def test_q_ends_before_anything_is_drawn(tmp_path: Path) -> None:
    with started(tmp_path) as terminal:
        terminal.press(b"q")
        assert terminal.wait()[0] == 0
        assert ALTERNATE_SCREEN not in terminal.seen
        assert terminal.settings() == terminal.attrs


def test_other_keys_wait_for_the_screen(tmp_path: Path) -> None:
    """They are not printed, and act in order: the q after the 2 leaves the GPU page."""
    with started(tmp_path) as terminal:
        loads(terminal)
        terminal.press(b"2")
        terminal.read_until(b"Processes")
        assert b"2" not in terminal.seen[: terminal.seen.index(ALTERNATE_SCREEN)]
        terminal.press(b"q")
        assert terminal.wait()[0] == 0
        assert terminal.settings() == terminal.attrs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(number: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path) as terminal:
        loads(terminal)
        os.kill(terminal.process.pid, number)
        assert terminal.wait()[0] == 128 + number
        assert terminal.settings() == terminal.attrs
