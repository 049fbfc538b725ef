"""Ending the process at once with the terminal restored, whatever still hangs.

A hung driver call, name lookup or socket holds an orderly shutdown until it returns, and a thread
cannot be interrupted. So: stop the writer thread, restore the terminal, flush, and end the process
without joining any thread.
"""

import os
import re
import signal
import sys
import termios
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol

from tokentop.secret import Secret

RESTORE = (
    "\x18"  # cancel a sequence that was cut in its middle
    "\x1b[?2026l"  # end a synchronised update
    "\x1b[?2004l"  # bracketed paste off
    "\x1b[?7h"  # line wrap on
    "\x1b[?2048l"  # in-band resize off
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1016l\x1b[?1006l"  # mouse off
    "\x1b[<u"  # keyboard protocol off, before the alternate screen goes
    "\x1b[0m\x1b[?1049l"  # plain style, alternate screen off
    "\x1b[?25h"  # cursor on
    "\x1b[?1004l"  # focus reports off
)
WRITE_LIMIT_S = 0.06  # a stalled SSH link must not hold the process

_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")
_QUERY = re.compile(r"(?<=[\w/])\?[^\s'\"]+")


class Writer(Protocol):
    """The part of Textual's output thread that is needed here."""

    @property
    def ident(self) -> int | None: ...
    def stop(self) -> None: ...
    def is_alive(self) -> bool: ...


def within(limit_s: float, work: Callable[[], object]) -> None:
    """Do `work` on a daemon thread and wait for it at most `limit_s` seconds."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(limit_s)


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """`text` without the secrets, user names, passwords and query strings that it may hold."""
    for secret in secrets:
        if value := secret.reveal():  # revealed only to be found in the text
            text = text.replace(value, "***")
    return _QUERY.sub("?***", _USER_INFO.sub("***@", text))


def crash_report(error: BaseException, secrets: Iterable[Secret]) -> str:
    """One sentence and the traceback, without the values of local variables."""
    lines = "".join(traceback.format_exception(error))
    return redacted(
        f"{lines}tokentop crashed ({type(error).__name__}); the lines above say where. "
        "Please report them.\n",
        secrets,
    )


class Terminal:
    """The terminal as it was found at the start, on `fd_in` and `fd_out`."""

    def __init__(self, fd_in: int = 0, fd_out: int = 1) -> None:
        self.fd_in = fd_in
        self.fd_out = self._restore_fd = fd_out
        self._message_fd = 2
        self._attrs = self._read_attrs()

    def _read_attrs(self) -> list[object] | None:
        try:
            return termios.tcgetattr(self.fd_in)
        except termios.error:
            return None

    def restore(self, writer: Writer | None = None) -> None:
        """Stop `writer`, write the restoring sequences and the old settings; never raises."""
        if writer is not None:
            within(WRITE_LIMIT_S, writer.stop)
            if writer.is_alive():
                self._discard_output(writer.ident)
        within(WRITE_LIMIT_S, self._write_restore)
        if self._attrs is not None:
            try:
                termios.tcflush(self.fd_in, termios.TCIFLUSH)
                termios.tcsetattr(self.fd_in, termios.TCSANOW, self._attrs)  # type: ignore[arg-type]
            except termios.error:
                return  # the terminal is gone

    def _discard_output(self, writer: int | None) -> None:
        """Discard pending output to a terminal that reads no more, so that RESTORE gets through.

        `writer` is the blocked thread's id: a signal interrupts its write, which Python starts
        again, now into /dev/null.
        """
        try:
            self._restore_fd = os.dup(self.fd_out)
            null = os.open(os.devnull, os.O_WRONLY)
            for fd in {self.fd_out, 1, 2}:
                if os.isatty(fd):
                    self._message_fd = self._restore_fd if fd == 2 else self._message_fd
                    os.dup2(null, fd)
            if writer is not None:
                signal.pthread_kill(writer, signal.SIGUSR1)
            termios.tcflush(self._restore_fd, termios.TCOFLUSH)
        except (OSError, ValueError, termios.error):
            return  # RESTORE is tried all the same

    def _write_restore(self) -> None:
        try:
            os.write(self._restore_fd, RESTORE.encode())
        except OSError:
            return  # hung up

    def leave(self, code: int, writer: Writer | None = None, message: str = "") -> NoReturn:
        """Restore, write `message` to standard error, and end the process with `code` at once."""
        self.restore(writer)
        within(WRITE_LIMIT_S, lambda: _write_message(message, self._message_fd))
        os._exit(code)


def _write_message(message: str, fd: int) -> None:
    try:
        if message:
            os.write(fd, message.encode(errors="replace"))
        sys.stdout.flush()
    except OSError:
        return  # hung up


def on_signals(leave: Callable[[int], object]) -> None:
    """Call `leave` with 128 + the signal's number on SIGTERM, SIGHUP and SIGINT.

    SIGUSR1 interrupts a blocked write and does nothing else.
    """
    signal.signal(signal.SIGUSR1, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda n, _frame: leave(128 + n))
