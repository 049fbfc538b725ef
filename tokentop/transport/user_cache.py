"""A cache between two calls, in a directory that only this user can write to.

keep("rates", {...}, now) and recall("rates", 60, now). Nothing secret belongs here. A file that
is damaged, too old, too large, another user's or a link is no file; nothing here raises. Nor is one
of another network namespace, whose 127.0.0.1 leads to other servers.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

MAX_BYTES = 2 * 1024 * 1024

_DIRECTORY = "tokentop"
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hang us
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def digest(what: object) -> str:
    """The end of a name, that tells apart what was asked or read, by its `repr`."""
    from _blake2 import blake2b  # hashlib would load OpenSSL: 4 ms of the one-line view

    return blake2b(repr(what).encode(), digest_size=12).hexdigest()


def keep(name: str, value: object, now: float, environ: Mapping[str, str] = os.environ) -> bool:
    """Store a JSON value under a plain name, with its time (wall clock); whether that worked."""
    from json import dumps

    try:
        document = {"at": now, "network": _network(), "value": value}
        data = dumps(document, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    if len(data) > MAX_BYTES:
        return False
    with _directory(environ) as place:
        return place is not None and replace_private(place, f"{name}.json", data)


def recall(
    name: str, max_age_s: float, now: float, environ: Mapping[str, str] = os.environ
) -> object | None:
    """The value stored at most `max_age_s` ago; None where there is none to be trusted."""
    with _directory(environ) as place:
        data = None if place is None else read_private(place, f"{name}.json")
    if data is None:
        return None
    from json import loads  # a screen's first picture comes without it

    try:
        document = loads(data)
    except (ValueError, RecursionError):
        return None
    at = document.get("at") if isinstance(document, dict) else None
    if not isinstance(at, int | float) or not now - max_age_s <= at <= now:
        return None
    if document.get("network") != _network():
        return None
    value: object = document.get("value")
    return value


def prune(prefix: str, before: float, environ: Mapping[str, str] = os.environ) -> None:
    """Remove what was stored under names that begin so before that moment (wall clock)."""
    with _directory(environ) as place, suppress(OSError):
        for name in os.listdir(place) if place is not None else ():
            if name.startswith(prefix) and os.stat(name, dir_fd=place).st_mtime < before:
                os.unlink(name, dir_fd=place)


def _network() -> str | None:
    """Our network namespace; None where the system has none."""
    try:
        return os.readlink("/proc/self/ns/net")
    except OSError:
        return None


@contextmanager
def _directory(environ: Mapping[str, str]) -> Iterator[int | None]:
    """Our directory, open, made where it is missing; None where no place can be trusted."""
    place = next(
        (fd for path in _paths(environ) if (fd := open_directory(*path)) is not None), None
    )
    try:
        yield place
    finally:
        if place is not None:
            os.close(place)


def _paths(environ: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    """(parent, name, whether the parent must be ours), the best first."""
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    if runtime.startswith("/"):
        yield runtime, _DIRECTORY, True
    temporary = environ.get("TMPDIR", "")
    parent = temporary if temporary.startswith("/") else "/tmp"
    yield parent, f"{_DIRECTORY}-{os.getuid()}", False


def open_directory(parent: str, name: str, parent_is_ours: bool) -> int | None:
    try:
        above = os.open(parent, _OPEN_DIRECTORY if parent_is_ours else os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, ValueError):
        return None
    try:
        if parent_is_ours and not _is_ours(os.fstat(above)):
            return None
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=above)
        place = os.open(name, _OPEN_DIRECTORY, dir_fd=above)
    except OSError:
        return None
    finally:
        os.close(above)
    if _is_ours(os.fstat(place)):
        return place
    os.close(place)
    return None


def _is_ours(found: os.stat_result) -> bool:
    """Owned by us, and writable for no other user."""
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def read_private(place: int, name: str) -> bytes | None:
    try:
        file = os.open(name, _OPEN_FILE, dir_fd=place)
    except (OSError, ValueError):
        return None
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or not _is_ours(found) or found.st_size > MAX_BYTES:
            return None
        try:
            return opened.read(MAX_BYTES + 1)
        except OSError:
            return None


def replace_private(place: int, name: str, data: bytes) -> bool:
    """Write beside and rename, so that a reader sees the old content or the new."""
    beside = f"{name}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        file = os.open(beside, _NEW_FILE, 0o600, dir_fd=place)
        with os.fdopen(file, "wb") as opened:
            opened.write(data)
        os.rename(beside, name, src_dir_fd=place, dst_dir_fd=place)
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.unlink(beside, dir_fd=place)
        return False
    return True
