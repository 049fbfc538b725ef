"""Small regular files that the user names: the configuration, a token, a CA bundle."""

import errno
import os
import stat

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def read_small(path: str, limit: int) -> bytes:
    """At most `limit` bytes of a regular file; raises OSError with its `strerror`, nothing else.

    A pipe or a device could wait, or go on, for ever, and is refused.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except ValueError:  # a NUL, or a character that no file name can hold
        raise OSError(errno.EINVAL, "no file can have such a name") from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read(limit)
