"""Writes a recording: appended, flushed line by line, rotated by size and age."""

import errno
import fcntl
import os
from contextlib import suppress

from tokentop.domain.verdict.values import Tier
from tokentop.named_tuple import NamedTuple
from tokentop.transport.recording.frames import HEADER, MARK, FrameWriter, header, moment, summary

_NEW = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK  # opening a pipe must not hang


class RecordingError(Exception):
    """Why nothing is recorded, or cannot be read, in one sentence."""


class Target(NamedTuple):
    """Where to record, and when a new file is begun; so many full ones are kept."""

    path: str
    max_bytes: float = float("inf")
    max_age_s: float = float("inf")
    keep: int = 1


class RecordingWriter:
    """Appends to one file, which it holds locked against a second writer.

    Every method raises RecordingError; the next call after one begins a new frame.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._path = target.path
        self._frame: FrameWriter | None = None
        self._begins = self._ends = 0  # of the frame, in bytes
        self._first_ms: int | None = None  # of the file
        self._file = self._opened(self._path)

    def add(self, line: bytes, tier: Tier | None) -> None:
        """Append one snapshot's line; it can be read as soon as this returns."""
        at_ms = moment(line) or 0
        try:
            if self._is_due(at_ms):
                self._rotate()
            if self._frame is None:
                self._begin()
            assert self._frame is not None
            self._append(self._frame.add(line, at_ms, tier))
            if self._first_ms is None:
                self._first_ms = at_ms
            if self._frame.full:
                self._complete()
        except OSError as error:
            self._abandon()
            raise RecordingError(_sentence(self._path, error)) from None

    def close(self) -> None:
        """Complete the frame, and let others write."""
        try:
            self._complete()
        except OSError as error:
            self._abandon()
            raise RecordingError(_sentence(self._path, error)) from None
        finally:
            os.close(self._file)

    def _opened(self, path: str) -> int:
        """The file, made where it is missing, locked, and where it ends."""
        try:
            file = os.open(path, _NEW, 0o600)
        except OSError as error:
            raise RecordingError(_sentence(path, error)) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            head = os.pread(file, HEADER, 0)
            if head and not head.startswith(MARK):
                raise RecordingError(f"{path} is no recording; it is left as it is")
            self._ends = os.lseek(file, 0, os.SEEK_END)
        except (OSError, RecordingError) as error:
            os.close(file)
            if isinstance(error, OSError):
                raise RecordingError(_sentence(path, error)) from None
            raise
        first = summary(head)
        self._first_ms = None if first is None else first.first_ms
        return file

    def _is_due(self, at_ms: int) -> bool:
        """Whether the file is as large, or as old, as one may be."""
        target, first = self._target, self._first_ms
        old = first is not None and at_ms - first >= 1000 * target.max_age_s
        return old or self._ends >= target.max_bytes

    def _rotate(self) -> None:
        """FILE becomes FILE.1, that becomes FILE.2; the oldest goes."""
        self._complete()
        before, self._file = self._file, self._opened(f"{self._path}.new")
        os.close(before)
        for number in range(self._target.keep - 1, 0, -1):
            with suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        os.replace(self._path, f"{self._path}.1")
        os.replace(f"{self._path}.new", self._path)

    def _begin(self) -> None:
        self._begins = self._ends
        self._frame = FrameWriter()
        self._append(header())

    def _append(self, data: bytes) -> None:
        while data:
            written = os.pwrite(self._file, data, self._ends)
            self._ends += written
            data = data[written:]

    def _complete(self) -> None:
        """End the frame, and say in its header what it holds."""
        if self._frame is None:
            return
        frame, self._frame = self._frame, None
        self._append(frame.end())
        os.pwrite(self._file, header(frame.summary(self._ends - self._begins)), self._begins)
        os.fsync(self._file)

    def _abandon(self) -> None:
        """Leave the frame as far as it could be written: a reader takes its whole lines."""
        self._frame = None
        with suppress(OSError):
            self._ends = os.lseek(self._file, 0, os.SEEK_END)


def _sentence(path: str, error: OSError) -> str:
    if isinstance(error, BlockingIOError):
        return f"{path} is being recorded to by another process"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {path} is full: nothing more is recorded until there is room"
    return f"{path} cannot be recorded to: {error.strerror or error}"
