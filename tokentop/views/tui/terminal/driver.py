"""Textual's Linux driver: draws on standard output, sleeps without input, survives its terminal.

The size comes from the kernel alone: a report of it within the input (mode 2048) may as well have
been pasted.
"""

import asyncio
import os
import select
import signal
import sys
from codecs import getincrementaldecoder
from io import TextIOWrapper
from time import monotonic

from textual import constants
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver as TextualDriver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.message import Message
from textual.messages import InBandWindowResize

from tokentop.light_typing import ClassVar, cast
from tokentop.views.tui.terminal.output import Output
from tokentop.views.tui.terminal.picture import RESET
from tokentop.views.tui.terminal.restore_terminal import HUNG_UP

_TICK_MS = 100  # after input: whether an escape byte was a key or began a sequence, time decides
_TICKING_S = 1.0 + constants.ESCAPE_DELAY
UNBOUNDED = 0  # as `maxsize` of a Queue
MAX_COLUMNS, MAX_ROWS = 640, 240  # a 4K screen with a small font; 65535 x 65535 is a lie


class Driver(LinuxDriver):
    """Draws on standard output, so that standard error can go to a file.

    `typed` are keys that were read before it is there.
    """

    typed: ClassVar[bytes] = b""

    def __init__(self, app: App[object], **options: object) -> None:
        super().__init__(app, **options)  # type: ignore[arg-type]
        assert sys.__stdout__ is not None
        self._output = Output(sys.__stdout__, self._terminal_gone)
        self._file = cast("TextIOWrapper", self._output)  # of the writer thread
        self._size = self._get_terminal_size()
        self._wake_reader, self._wake_writer = os.pipe()

    def start_application_mode(self) -> None:
        # The loop calls it, where this thread holds no lock of the writer's; it also wakes for a
        # signal that another thread took, which a handler of Python's own waits for a timer to see.
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCONT, self._sigcont_application)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            # A terminal that reads no more would block the loop, and q with it, at 30 writes.
            self._writer_thread._queue.maxsize = UNBOUNDED

    def write(self, data: str) -> None:
        """Send it to the terminal, or leave it to the writer thread; never waits."""
        assert self._writer_thread is not None
        if left := self._output.send(data):
            self._writer_thread.write(left)  # type: ignore[arg-type]  # which hands it to `_file`

    def stop_application_mode(self) -> None:
        self.write(RESET)  # a picture leaves its last style in force
        super().stop_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        """Begin again, also after a SIGSTOP, of which nothing came before the stop."""
        if self._auto_restart and not self._must_signal_resume:
            self.suspend_application_mode()
            self._must_signal_resume = True
        super()._sigcont_application()

    def _get_terminal_size(self) -> tuple[int, int]:
        width, height = super()._get_terminal_size()
        return min(width, MAX_COLUMNS), min(height, MAX_ROWS)

    def _query_in_band_window_resize(self) -> None:
        """Not asked for: SIGWINCH is sent by every terminal."""

    def process_message(self, message: Message) -> None:
        if not isinstance(message, Resize | InBandWindowResize):
            super().process_message(message)

    def _terminal_gone(self) -> None:
        """End the program: no key can reach it, and there is nowhere to draw."""
        self._app.call_later(self._app.leave, HUNG_UP)  # type: ignore[attr-defined]

    def disable_input(self) -> None:
        if self._key_thread is not None and self._key_thread.is_alive():
            os.write(self._wake_writer, b".")
        super().disable_input()

    def run_input_thread(self) -> None:
        """Read keys until `exit_event` is set; a fault ends the app as a fault of its own does."""
        try:
            self._read_keys()
        except Exception as error:  # noqa: BLE001  # Textual would print it unredacted
            self._app.call_later(self._app._handle_exception, error)

    def _read_keys(self) -> None:
        """Sleep until there is input.

        Textual's own loop wakes ten times a second: a tenth of a per cent of a core.
        """
        parser = XTermParser(self._debug)
        # Half a character decodes to nothing yet; with the strict decoder a bad byte raises.
        decode = getincrementaldecoder("utf-8")("replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._wake_reader, select.POLLIN)
        typed, Driver.typed = Driver.typed, b""
        self._take(parser, decode(typed))
        ticking_until = monotonic() + _TICKING_S if typed else 0.0
        while not self.exit_event.is_set():
            ready = [fd for fd, _ in poll.poll(_timeout_ms(ticking_until))]
            if self.fileno in ready:
                ticking_until = monotonic() + _TICKING_S
                data = self._read()
                if not data:
                    break
                self._take(parser, decode(data))
            for message in parser.tick():
                self.process_message(message)
        else:
            os.read(self._wake_reader, 1)

    def _take(self, parser: XTermParser, text: str) -> None:
        if text:  # the parser takes an empty one for the end of input
            for message in parser.feed(text):
                parser.mouse_pixels = False  # a pasted size turns it on
                self.process_message(message)

    def _read(self) -> bytes:
        """What was typed; nothing at the end of input, which ends the program with its terminal."""
        try:
            data = os.read(self.fileno, 4096)
        except OSError:  # hung up
            data = b""
        if not data and self.input_tty:
            self._terminal_gone()
        return data


def _timeout_ms(ticking_until: float) -> int | None:
    """How long `poll` may wait, ms; None is for ever."""
    return _TICK_MS if monotonic() < ticking_until else None


def writer_of(driver: TextualDriver | None) -> WriterThread | None:
    """The thread that writes to the terminal; None before the driver has started it."""
    return driver._writer_thread if isinstance(driver, LinuxDriver) else None
