"""Reads a recording: finds its frames by their headers, and a moment among them."""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator

from tokentop.domain.verdict.values import Tier
from tokentop.named_tuple import NamedTuple
from tokentop.transport.recording.frames import (
    FRAME,
    HEADER,
    MARK,
    MAX_FRAME_BYTES,
    TIERS,
    lines,
    moment,
    summary,
)
from tokentop.transport.recording.writer import RecordingError

Row = tuple[int, bytes]
"""A moment in Unix milliseconds, and the line of the snapshot that was made then."""

_SCAN = 1024 * 1024
_TIER = re.compile(rb'"demand":\{[^{}]*?"tier":"(\w+)"')


class Frame(NamedTuple):
    """Where a frame lies, and what it holds; moments in Unix milliseconds."""

    file: int
    offset: int
    size: int
    first_ms: int
    last_ms: int
    tiers: tuple[Tier | None, ...]


class Place(NamedTuple):
    """One snapshot: its frame, and its line there."""

    frame: int
    line: int


class Recording:
    """FILE with what was rotated away from it (FILE.1, FILE.2 ...), in the order of time.

    Raises RecordingError where there is no snapshot to be read. `damaged` counts bytes that belong
    to no frame.
    """

    def __init__(self, path: str) -> None:
        self.damaged = 0
        self._files = [_opened(each) for each in reversed(_parts(path))]
        found = (frame for number in range(len(self._files)) for frame in self._frames(number))
        self.frames = sorted(found, key=lambda frame: frame.first_ms)
        self._starts = [frame.first_ms for frame in self.frames]
        self._read: tuple[int, list[Row]] = (-1, [])  # replaced whole: two threads may read
        if not self.frames:
            raise RecordingError(f"{path} holds no snapshot that can be read")

    @property
    def first_ms(self) -> int:
        return self._starts[0]

    @property
    def last_ms(self) -> int:
        return max(frame.last_ms for frame in self.frames[-2:])

    def close(self) -> None:
        for file in self._files:
            os.close(file)

    def rows(self, frame: int) -> list[Row]:
        """The snapshots of one frame that can be read, in the order of time."""
        read = self._read
        if read[0] != frame:
            found = self.frames[frame]
            raw = os.pread(self._files[found.file], found.size, found.offset)
            self._read = read = (frame, _rows(lines(raw)))
        return read[1]

    def find(self, at_ms: float) -> Place:
        """The last snapshot until that moment; the first one of all where there is none."""
        frame = max(0, bisect_right(self._starts, at_ms) - 1)
        line = bisect_right(self.rows(frame), at_ms, key=lambda row: row[0]) - 1
        return Place(frame, max(0, line))

    def moved(self, place: Place, steps: int) -> Place:
        """The place so many snapshots further, kept within the recording."""
        frame, line = place.frame, place.line + steps
        while line < 0 and frame > 0:
            frame -= 1
            line += len(self.rows(frame))
        while line >= (count := len(self.rows(frame))) and frame + 1 < len(self.frames):
            frame += 1
            line -= count
        return Place(frame, max(0, min(line, len(self.rows(frame)) - 1)))

    def at(self, place: Place) -> Row | None:
        """The snapshot there; None in a frame of which nothing can be read."""
        rows = self.rows(place.frame)
        return rows[place.line] if place.line < len(rows) else None

    def all(self) -> Iterator[Row]:
        """Every snapshot."""
        for frame in range(len(self.frames)):
            yield from self.rows(frame)

    def _frames(self, number: int) -> Iterator[Frame]:
        """The frames of one file; where one is damaged the search goes on behind its mark."""
        file, begin = self._files[number], 0
        size = os.fstat(file).st_size
        while (offset := _next_mark(file, begin, size)) is not None:
            self.damaged += offset - begin
            known = summary(os.pread(file, HEADER, offset))
            begin = offset + (known.size if known else 0)
            if known is None or not _is_mark(file, begin, size):
                begin = _next_mark(file, offset + len(MARK), size) or size
                frame = self._unfinished(number, offset, begin - offset)
            else:
                frame = Frame(number, offset, known.size, *known[:2], known.tiers)
            if frame is not None:
                yield frame
        self.damaged += size - begin

    def _unfinished(self, number: int, offset: int, size: int) -> Frame | None:
        """A frame that was not completed, or is damaged: what it holds, found by reading it."""
        size = min(size, MAX_FRAME_BYTES)
        rows = _rows(lines(os.pread(self._files[number], size, offset)))[:FRAME]
        if not rows:
            self.damaged += size
            return None
        return Frame(number, offset, size, rows[0][0], rows[-1][0], tuple(map(_tier, rows)))


def _parts(path: str) -> list[str]:
    """The file, then what was rotated away from it, the newest first."""
    found = [path]
    while os.path.exists(part := f"{path}.{len(found)}"):
        found.append(part)
    return found


def _opened(path: str) -> int:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        os.pread(file, 1, 0)  # a folder or a pipe can be opened, and not be read
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from None
    return file


def _is_mark(file: int, offset: int, size: int) -> bool:
    """Whether a frame begins there, or the file ends."""
    return offset == size or (offset < size and os.pread(file, len(MARK), offset) == MARK)


def _next_mark(file: int, begin: int, size: int) -> int | None:
    """Where the first frame begins at or after `begin`."""
    if begin < size and _is_mark(file, begin, size):
        return begin
    while begin < size:
        block = os.pread(file, _SCAN, begin)
        if (found := block.find(MARK)) >= 0:
            return begin + found
        if len(block) < len(MARK):
            return None
        begin += len(block) - len(MARK) + 1
    return None


def _rows(found: list[bytes]) -> list[Row]:
    rows = ((moment(line), line) for line in found)
    return sorted((at, line) for at, line in rows if at is not None)


def _tier(row: Row) -> Tier | None:
    found = _TIER.search(row[1])
    word = found[1].decode() if found else None
    return next((tier for tier in TIERS if tier == word), None)
