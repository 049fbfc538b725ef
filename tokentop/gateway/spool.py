"""Records on disk until they were acknowledged, whatever happens to either process.

A file a process and period, one record a line. The one that is written is locked; so is the one
that is being sent: what a killed process left is sent by the next one that looks.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import suppress

from tokentop.light_typing import Any

MAX_BYTES = 1024 * 1024 * 1024  # of the whole folder
_ENDING = ".jsonl"
REFUSED = ".refused"

Taken = tuple[str, list[dict[str, Any]]]  # a file's path, and its records


class SpoolFull(OSError):
    """The folder has no room left for a record."""


class Spool:
    """A folder of records; several processes and threads may share it."""

    def __init__(self, folder: str, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._file: int | None = None
        self._pid = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Write a record; it outlives this process from now on. Raises OSError."""
        line = _line(record)
        with self._lock:
            if self._file is None or self._pid != os.getpid():  # a forked process has its own file
                self._open()
            assert self._file is not None
            os.write(self._file, line)

    def _open(self) -> None:
        os.makedirs(self._folder, 0o700, exist_ok=True)
        if self._size() >= self._max_bytes:
            raise SpoolFull(f"{self._folder} holds {self._max_bytes >> 20} MiB that nobody takes")
        name = f"{time.time_ns()}-{os.getpid()}{_ENDING}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(os.path.join(self._folder, name), flags, 0o600)
        self._pid = os.getpid()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _size(self) -> int:
        size = 0
        with os.scandir(self._folder) as found:
            for each in found:
                with suppress(FileNotFoundError):  # another process has just sent it
                    size += each.stat().st_size
        return size

    def take(self) -> Generator[Taken, None, None]:
        """Each file that nobody writes or sends, oldest first, with its records.

        It stays locked until the next one is taken. A line that was cut off by a power failure is
        left out.
        """
        self._seal()
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._folder)):
                if name.endswith(_ENDING):
                    yield from self._taken(os.path.join(self._folder, name))

    def _seal(self) -> None:
        with self._lock:
            if self._file is not None and self._pid == os.getpid():
                os.close(self._file)
            self._file = None

    def _taken(self, path: str) -> Generator[Taken, None, None]:
        with suppress(FileNotFoundError, BlockingIOError), open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.exists(path):  # else another process has just sent it
                yield path, [each for line in file if (each := _record(line)) is not None]

    def done(self, path: str, refused: Iterable[Mapping[str, Any]] = ()) -> None:
        """Remove a file whose records were acknowledged.

        Those that will never be taken are put aside before, for a person to look at.
        """
        if lines := [_line(record) for record in refused]:
            aside = path.removesuffix(_ENDING) + REFUSED
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with os.fdopen(os.open(aside, flags, 0o600), "wb") as file:
                file.writelines(lines)
        os.unlink(path)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, default=str, separators=(",", ":")).encode() + b"\n"


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
