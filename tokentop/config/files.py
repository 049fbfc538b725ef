"""Small regular files that the user names: the configuration, a token, a CA bundle."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator

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
    """Whether other users can read a file: its mode, and every directory above, let them.

    As with ssh's keys the group's members count where the file is this user's own; one of root's
    may be given to a service through its group.
    """
    place = os.path.realpath(path)
    try:
        found = os.stat(place)
        own = found.st_uid == os.geteuid()
        above = [os.stat(folder).st_mode for folder in _above(place)]
    except (OSError, ValueError):
        return False
    return _lets(found.st_mode, above, stat.S_IROTH, stat.S_IXOTH) or (
        own and _lets(found.st_mode, above, stat.S_IRGRP, stat.S_IXGRP | stat.S_IXOTH)
    )


def _above(place: str) -> Iterator[str]:
    """Every directory above a path."""
    while (above := os.path.dirname(place)) != place:
        yield above
        place = above


def _lets(mode: int, above: Iterable[int], read: int, enter: int) -> bool:
    """Whether one of these bits lets somebody read the file and enter each directory."""
    return bool(mode & read) and all(one & enter for one in above)


def _refuse_special(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file")
