"""Small regular files that the user names: the configuration, a token, a CA bundle."""

import errno
import os
import stat

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def read_small(path: str, limit: int) -> bytes:
    """At most `limit` bytes of a regular file; raises OSError with its `strerror`, nothing else.

    A pipe or a device could wait, or go on, for ever, and is refused: before it is opened, which
    may rewind a tape or start a watchdog, and again once it is open.
    """
    try:
        _refuse_special(os.stat(path).st_mode)
        descriptor = os.open(path, _OPEN)
    except ValueError:  # a NUL, or a character that no file name can hold
        raise OSError(errno.EINVAL, "no file can have such a name") from None
    with os.fdopen(descriptor, "rb") as file:
        _refuse_special(os.fstat(descriptor).st_mode)
        return file.read(limit)


def is_exposed(path: str) -> bool:
    """Whether other users can read a file: its mode, and every directory above, let them."""
    place = os.path.realpath(path)
    try:
        if not os.stat(place).st_mode & stat.S_IROTH:
            return False
        while (above := os.path.dirname(place)) != place:
            place = above
            if not os.stat(place).st_mode & stat.S_IXOTH:
                return False
    except (OSError, ValueError):
        return False
    return True


def _refuse_special(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file")
