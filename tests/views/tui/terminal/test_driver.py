"""The input thread: it reads every key, and sleeps while there is none."""

import os
import pty
import tty
from queue import SimpleQueue
from threading import Thread

import pytest
from textual.events import Key
from textual.message import Message

from tests.views.tui.conftest import MakeApp
from tokentop.views.tui.terminal.driver import Driver, _timeout_ms


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
