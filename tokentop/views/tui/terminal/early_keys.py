"""Keys that are typed while the screen's modules load: q ends at once, the others wait.

Loading takes a quarter of a second, during which a terminal would print what is typed.
"""

import os
import select
import signal
import termios

from tokentop.light_typing import NoReturn, Self
from tokentop.views.tui.terminal.restore_terminal import on_signals

EVERY_S = 0.02
_LOCAL_MODES, _CONTROL_CHARACTERS = 3, 6  # places in what tcgetattr returns


class EarlyKeys:
    """Reads terminal `fd` from `with` on until `end`; leaves its settings as they were."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._typed = b""
        self._attrs: list[object] | None = None

    def __enter__(self) -> Self:
        on_signals(self._leave)
        try:
            self._attrs = termios.tcgetattr(self._fd)
            self._set(_byte_by_byte(self._attrs))
        except termios.error:
            return self  # it has hung up, which the screen will find
        signal.signal(signal.SIGALRM, lambda *_: self._look())
        signal.setitimer(signal.ITIMER_REAL, EVERY_S, EVERY_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> bytes:
        """Read no more; returns what was typed."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        if self._attrs is not None:
            self._set(self._attrs)
            self._attrs = None
        return self._typed

    def _look(self) -> None:
        try:
            while select.select([self._fd], [], [], 0)[0] and (some := os.read(self._fd, 1024)):
                self._typed += some
        except OSError:
            return
        if self._typed[:1] == b"q":
            self._leave(0)

    def _leave(self, code: int) -> NoReturn:
        """End the process: nothing is drawn yet, and nothing to be written."""
        self.end()
        os._exit(code)

    def _set(self, attrs: list[object]) -> None:
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, attrs)  # type: ignore[arg-type]
        except termios.error:
            return  # the terminal is gone


def _byte_by_byte(attrs: list[object]) -> list[object]:
    """These settings without echo, and every byte to be read as it comes."""
    changed = list(attrs)
    modes, characters = changed[_LOCAL_MODES], changed[_CONTROL_CHARACTERS]
    assert isinstance(modes, int)
    assert isinstance(characters, list)
    changed[_LOCAL_MODES] = modes & ~(termios.ECHO | termios.ICANON)
    characters = list(characters)
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    changed[_CONTROL_CHARACTERS] = characters
    return changed
