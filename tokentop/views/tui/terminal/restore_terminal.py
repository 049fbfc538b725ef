"""Ending the process at once with the terminal restored, whatever still hangs.

A hung driver call, name lookup or socket holds an orderly shutdown until it returns, and a thread
cannot be interrupted. So: stop the writer thread, restore the terminal, and end the process without
waiting for any other thread. Nothing that may have run out by then is needed: no new thread, no
new descriptor.
"""

import os
import queue
import select
import signal
import termios
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress

from tokentop import fault
from tokentop.light_typing import NoReturn, Protocol
from tokentop.secret import Secret, redacted

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
LOCK_LIMIT_S = 0.01
HUNG_UP = 128 + signal.SIGHUP
LEAVING = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGUSR2", "SIGXCPU")


class Writer(Protocol):
    """The part of Textual's output thread that is needed here."""

    _queue: "queue.Queue[str | None]"

    @property
    def ident(self) -> int | None: ...
    def join(self, timeout: float | None = None) -> None: ...
    def is_alive(self) -> bool: ...


def within(limit_s: float, work: Callable[[], object]) -> bool:
    """Do `work` on this thread, the main one, for at most `limit_s` seconds; whether it was done.

    OSErrors end it too. An alarm interrupts a blocked system call; it repeats, as the first may
    come just before one.
    """
    done = False

    def interrupt(*_: object) -> NoReturn:
        raise TimeoutError

    with suppress(OSError):  # TimeoutError is one; so is a terminal that has hung up
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, limit_s, LOCK_LIMIT_S)
        work()
        done = True
    with suppress(TimeoutError):
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    return done


def crash_report(error: BaseException, secrets: Iterable[Secret]) -> str:
    """One sentence and the traceback, without the values of local variables.

    The sentence alone where the machine has run out of something.
    """
    if shortage := fault.exhausted(error):
        return f"tokentop: {shortage}\n"
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
        # Opened now, because at the end there may be none left.
        self._spare_fd = os.dup(fd_out)
        self._null_fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        self._attrs = self._read_attrs()

    def _read_attrs(self) -> list[object] | None:
        try:
            return termios.tcgetattr(self.fd_in)
        except termios.error:
            return None

    def restore(self, writer: Writer | None = None) -> None:
        """Stop `writer`, write the restoring sequences and the old settings; never raises."""
        if writer is not None and not _ended(writer):
            self._discard_output(writer.ident)
        if not self._write_restore():  # the writer's last picture has left no room for it
            with suppress(termios.error):
                termios.tcflush(self._restore_fd, termios.TCOFLUSH)
            self._write_restore()
        if self._attrs is not None:
            try:
                termios.tcflush(self.fd_in, termios.TCIFLUSH)
                termios.tcsetattr(self.fd_in, termios.TCSANOW, self._attrs)  # type: ignore[arg-type]
            except termios.error:
                return  # the terminal is gone

    def _write_restore(self) -> bool:
        return within(WRITE_LIMIT_S, lambda: write_all(self._restore_fd, RESTORE.encode()))

    def _discard_output(self, writer: int | None) -> None:
        """Discard pending output to a terminal that reads no more, so that RESTORE gets through.

        `writer` is the blocked thread's id: a signal interrupts its write, which Python starts
        again, now into /dev/null.
        """
        self._restore_fd = self._spare_fd
        try:
            for fd in {self.fd_out, 1, 2}:
                if os.isatty(fd):
                    self._message_fd = self._restore_fd if fd == 2 else self._message_fd
                    os.dup2(self._null_fd, fd)
            if writer is not None:
                signal.pthread_kill(writer, signal.SIGUSR1)
            termios.tcflush(self._restore_fd, termios.TCOFLUSH)
        except (OSError, ValueError, termios.error):
            return  # RESTORE is tried all the same

    def leave(self, code: int, writer: Writer | None = None, message: str = "") -> NoReturn:
        """Restore, write `message` to standard error, and end the process with `code` at once."""
        self.restore(writer)
        data = message.encode(errors="replace")
        within(WRITE_LIMIT_S, lambda: write_all(self._message_fd, data))
        os._exit(code)


def _ended(writer: Writer) -> bool:
    """End the writer after what it has to write, and wait WRITE_LIMIT_S for that.

    A signal may have interrupted this very thread within the queue: its lock is never free then.
    """
    if writer._queue.mutex.acquire(timeout=LOCK_LIMIT_S):
        writer._queue.mutex.release()
        with suppress(queue.Full):
            writer._queue.put_nowait(None)
        writer.join(WRITE_LIMIT_S)
    return not writer.is_alive()


def write_all(fd: int, data: bytes) -> None:
    """Write all of it, however slowly the terminal takes it; raises OSError."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:  # another program has made the terminal non-blocking
            select.select([], [fd], [])


def on_signals(leave: Callable[[int], object]) -> None:
    """Call `leave` with 128 + the signal's number on every signal that asks a program to end.

    SIGUSR1 interrupts a blocked write and does nothing else.
    """
    signal.signal(signal.SIGUSR1, lambda *_: None)
    for name in LEAVING:
        if number := getattr(signal, name, None):
            signal.signal(number, lambda n, _frame: leave(128 + n))
