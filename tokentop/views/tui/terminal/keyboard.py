"""Where keys come from: the terminal, also where standard input is a pipe or a file."""

import os
import sys

TERMINAL = "/dev/tty"


def take_keyboard() -> None:
    """Make the terminal standard input, where it is not; raises OSError where there is none."""
    if _is_tty(0) and sys.__stdin__ is not None:
        return
    terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    if terminal:
        os.dup2(terminal, 0)
        os.close(terminal)
    if sys.__stdin__ is None:  # it was closed: Textual takes it for granted
        sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115


def _is_tty(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
