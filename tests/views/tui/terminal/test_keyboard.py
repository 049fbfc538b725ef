"""Keys come from the terminal, whatever standard input is."""

import os
import subprocess
import sys
from pathlib import Path

from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal


def keys_work(terminal: PseudoTerminal) -> None:
    """2 shows the processes, q leaves, and the terminal is as it was."""
    terminal.read_until(b"quit")
    terminal.press(b"2")
    terminal.read_until(b"Processes")
    terminal.press(b"q")
    assert terminal.wait()[0] == 0
    assert terminal.settings() == terminal.attrs


def test_keys_work_after_a_pipe(tmp_path: Path) -> None:
    """`echo | tokentop`: what the pipe held is not taken for keys."""
    reader, writer = os.pipe()
    os.write(writer, b"q\n")
    os.close(writer)
    with PseudoTerminal(STILL, {"XDG_CONFIG_HOME": str(tmp_path)}, stdin=reader) as terminal:
        keys_work(terminal)
    os.close(reader)


def test_keys_work_with_an_empty_standard_input(tmp_path: Path) -> None:
    """`tokentop < /dev/null`."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(STILL, env, stdin=subprocess.DEVNULL) as terminal:
        keys_work(terminal)


def test_keys_work_with_standard_input_closed(tmp_path: Path) -> None:
    """`tokentop <&-`."""
    command = ("sh", "-c", 'exec "$0" -m tokentop "$@" <&-', sys.executable)
    with PseudoTerminal(STILL, {"XDG_CONFIG_HOME": str(tmp_path)}, command=command) as terminal:
        keys_work(terminal)


def test_without_a_terminal_to_read_keys_from_there_is_one_sentence(tmp_path: Path) -> None:
    """No screen that could not be left: exit code 2 and nothing drawn."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(STILL, env, stdin=subprocess.DEVNULL, controlling=False) as terminal:
        assert terminal.wait()[0] == 2
        assert terminal.seen == b""
        (sentence,) = terminal.errors().splitlines()
    assert "no /dev/tty to read keys from" in sentence
