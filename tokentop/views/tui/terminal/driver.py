"""Textual's Linux driver, drawing on standard output and asleep while nobody types."""

import os
import select
import sys
from codecs import getincrementaldecoder
from time import monotonic

from textual import constants
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

_SOON_MS = 100  # after input: what an escape key leaves open is decided by time
_ATTENTIVE_S = 1.0 + constants.ESCAPE_DELAY


class Driver(LinuxDriver):
    """Draws on standard output, so that standard error can go to a file."""

    def __init__(self, app: App[object], **options: object) -> None:
        super().__init__(app, **options)  # type: ignore[arg-type]
        assert sys.__stdout__ is not None
        self._file = sys.__stdout__
        self._woken, self._wake = os.pipe()

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            # A terminal that reads no more would block the loop, and q with it, at 30 writes.
            self._writer_thread._queue.maxsize = 0

    def disable_input(self) -> None:
        if self._key_thread is not None and self._key_thread.is_alive():
            os.write(self._wake, b".")
        super().disable_input()

    def run_input_thread(self) -> None:
        """Textual's own wakes ten times a second for ever: a tenth of a per cent of a core."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        attentive_until = 0.0
        while not self.exit_event.is_set():
            ready = [fd for fd, _ in poll.poll(self._patience_ms(attentive_until))]
            if self.fileno in ready:
                attentive_until = monotonic() + _ATTENTIVE_S
                data = os.read(self.fileno, 4096)
                if not data:
                    return  # nobody will type any more
                if text := decode(data):  # half a character is none yet; nothing would end it all
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
        os.read(self._woken, 1)

    @staticmethod
    def _patience_ms(attentive_until: float) -> int | None:
        return _SOON_MS if monotonic() < attentive_until else None
