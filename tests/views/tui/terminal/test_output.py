"""What reaches the terminal, in which order, and that nobody waits for it."""

import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TextIO

from tokentop.views.tui.terminal.output import Output


@contextmanager
def terminal() -> Iterator[tuple[int, TextIO]]:
    """The end of a pseudo-terminal that a user sees, and the file of a program in it."""
    near, far = pty.openpty()
    tty.setraw(far)
    with os.fdopen(far, "w", encoding="utf-8") as stream:
        yield near, stream
    os.close(near)


def test_little_is_sent_at_once() -> None:
    """A tick of the clock needs no thread."""
    with terminal() as (near, stream):
        output = Output(stream, lambda: None)
        assert output.send("12:00:01 ×") == b""
        assert os.read(near, 100) == "12:00:01 ×".encode()
        assert os.get_blocking(stream.fileno()), "the shell's own file was changed"


def test_what_a_terminal_does_not_take_is_left_in_order() -> None:
    """Its reader stands still: nothing waits. Later it sees every byte, in order."""
    with terminal() as (near, stream):
        output = Output(stream, lambda: None)
        texts = [f"{number:07}×" for number in range(20_000)]
        left = b""
        for text in texts:
            rest = output.send(text)
            assert rest or not left, "sent past what was left"
            left += rest
            if rest:
                output.write(rest)
        assert left
        writer = Thread(target=output.flush, daemon=True)
        writer.start()
        wanted = "".join(texts).encode()
        seen = b""
        while len(seen) < len(wanted):
            seen += os.read(near, 65536)
        writer.join(5)
        assert seen == wanted
        assert output.send("at once again") == b""


def test_a_terminal_that_has_gone_is_told() -> None:
    near, far = pty.openpty()
    gone: list[bool] = []
    with os.fdopen(far, "w", encoding="utf-8") as stream:
        output = Output(stream, lambda: gone.append(True))
        os.close(near)
        assert output.send("x") == b""
    assert gone == [True]


def test_a_terminal_made_non_blocking_is_waited_for() -> None:
    """Another program that shares it may set O_NONBLOCK; every byte arrives all the same."""
    near, far = os.pipe()
    os.set_blocking(far, False)
    gone: list[bool] = []
    with os.fdopen(far, "w", encoding="utf-8") as stream:
        output = Output(stream, lambda: gone.append(True))
        output.write(output.send("×" * 200_000))
        reader = Thread(target=output.flush, daemon=True)
        reader.start()
        seen = b""
        while len(seen) < 400_000:
            seen += os.read(near, 65536)
        reader.join(5)
        os.close(near)
        assert seen.decode() == "×" * 200_000
        assert not gone
        output.write(output.send("x"))
        output.flush()
    assert gone == [True]
