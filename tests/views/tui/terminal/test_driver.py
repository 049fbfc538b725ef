"""The input thread: it reads every key, and sleeps while there is none."""

import os
import pty
import re
import tty
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import pytest
from textual.events import Key
from textual.message import Message

from tests.views.tui.conftest import MakeApp
from tests.views.tui.pseudo_terminal import STILL, PseudoTerminal
from tokentop.views.tui.terminal.driver import (
    MAX_COLUMNS,
    MAX_ROWS,
    Driver,
    _timeout_ms,
)


async def test_keys_are_read_and_the_end_wakes_the_thread(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys arrive, half a character ends nothing, and a sleeping thread ends at the exit event."""
    messages: SimpleQueue[Message] = SimpleQueue()
    driver = Driver(make_app(100.0))  # type: ignore[arg-type]
    terminal, driver.fileno = pty.openpty()
    tty.setraw(driver.fileno)
    monkeypatch.setattr(driver, "process_message", messages.put)
    thread = Thread(target=driver.run_input_thread, daemon=True)
    thread.start()
    keys: list[str] = []
    for typed in (b"a", "é".encode()[:1], "é".encode()[1:], b"\x1b"):
        os.write(terminal, typed)
    while len(keys) < 3:
        event = messages.get(timeout=5)
        if isinstance(event, Key):
            keys.append(event.key)
    assert keys == ["a", "é", "escape"]
    driver.exit_event.set()
    os.write(driver._wake_writer, b".")
    thread.join(5)
    assert not thread.is_alive()


def test_the_thread_sleeps_until_there_is_input() -> None:
    """Ten wakes a second for the length of a session are a tenth of a per cent of a core."""
    assert _timeout_ms(0.0) is None
    assert _timeout_ms(float("inf")) == 100


def cursor_places(stream: bytes) -> list[tuple[int, int]]:
    """Every (row, column) that the cursor was sent to."""
    moves = re.findall(rb"\x1b\[(\d+);(\d+)H|\x1b\[(\d+)G", stream)
    return [(int(y or 1), int(x or column)) for y, x, column in moves]


def test_an_absurd_terminal_is_taken_for_a_large_one(tmp_path: Path) -> None:
    """65535 x 65535 would be 4.3 billion cells: it is drawn as far as a screen can reach."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(STILL, env, size=(65535, 65535)) as terminal:
        terminal.read_until(b"DEMO", b"quit")
        terminal.press(b"q")
        code, seconds = terminal.wait()
    assert code == 0
    assert seconds < 2.0
    rows, columns = zip(*cursor_places(terminal.seen), strict=True)
    assert max(rows) == MAX_ROWS
    assert max(columns) <= MAX_COLUMNS


PASTED = (
    b"\x1b[48;65535;65535;65535;65535t",
    b"\x1b[200~\x1b[48;9999;9999;9;9t\x1b[201~",
    b"\x1b[?2048;2$y\x1b[48;500;500;5000;5000t",
    b"\x1b[48;1;1;1;1t",
)


def test_a_pasted_size_changes_nothing(tmp_path: Path) -> None:
    """Neither the size nor what a mouse click means; the kernel's own size holds on."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with PseudoTerminal(STILL, env, size=(100, 30)) as terminal:
        terminal.read_until(b"DEMO", b"quit")
        for pasted in PASTED:
            terminal.press(pasted)
        terminal.press(b"\x1b[<0;3;30M\x1b[<0;3;30m")  # a click on `q quit` in the footer
        code, _ = terminal.wait()
    assert code == 0
    rows, columns = zip(*cursor_places(terminal.seen), strict=True)
    assert (max(rows), max(columns) <= 100) == (30, True)
    assert b"\x1b[?2048h" not in terminal.seen
    assert b"\x1b[?1016h" not in terminal.seen
