"""One frame of a recording: a gzip member of at most FRAME lines, each flushed as it is written.

`zcat FILE` prints the snapshots, one `tokentop/1` object a line. The member's header says in its
extra field what is inside, once it is complete: first and last moment, each snapshot's tier and
the CRC-32 of its line. So a reader finds a moment without decompressing what lies before it, and of
a damaged frame takes the lines that are whole.
"""

import re
import zlib
from datetime import datetime
from functools import lru_cache
from struct import Struct

from tokentop.domain.verdict.values import Tier
from tokentop.light_typing import get_args
from tokentop.named_tuple import NamedTuple

FRAME = 128  # snapshots
MAX_FRAME_BYTES = 64 * 1024 * 1024  # decompressed; what is more is not read
TIERS: tuple[Tier | None, ...] = (None, *get_args(Tier))

_SUMMARY = Struct(f"<QQII{FRAME}s{4 * FRAME}s")  # moments in ms, bytes, snapshots, tiers, CRCs
_CHECKS = Struct(f"<{FRAME}I")
_EXTRA = b"TT" + Struct("<H").pack(_SUMMARY.size)
MARK = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + Struct("<H").pack(_SUMMARY.size + 4) + _EXTRA
HEADER = len(MARK) + _SUMMARY.size
_TRAILER = Struct("<II")  # CRC-32 and size of what was compressed
_CHUNK = 4096
_AT = re.compile(rb'"at":"([0-9T:.Z+-]{20,35})"')


class Summary(NamedTuple):
    """What a frame holds: moments in Unix milliseconds, its bytes, and each snapshot's tier.

    `checks` are the CRC-32 of the lines, packed.
    """

    first_ms: int
    last_ms: int
    size: int
    tiers: tuple[Tier | None, ...]
    checks: bytes


def header(summary: Summary | None = None) -> bytes:
    """The member's header; without a summary that of a frame that is being written."""
    if summary is None:
        return MARK + bytes(_SUMMARY.size)
    marks = bytes(map(TIERS.index, summary.tiers))
    count = len(summary.tiers)
    packed = _SUMMARY.pack(*summary[:3], count, marks, summary.checks)
    return MARK + packed


def summary(head: bytes) -> Summary | None:
    """What a header says; None where the frame was never completed, or this is no header."""
    if len(head) < HEADER or not head.startswith(MARK):
        return None
    first, last, size, count, marks, checks = _SUMMARY.unpack_from(head, len(MARK))
    if not (size > HEADER and 0 < count <= FRAME and first <= last and max(marks) < len(TIERS)):
        return None
    return Summary(first, last, size, _tiers(marks[:count]), checks)


@lru_cache(1024)
def _tiers(marks: bytes) -> tuple[Tier | None, ...]:
    """The tiers of a frame; frames that look alike share them, of which a year has 60,000."""
    return tuple(TIERS[mark] for mark in marks)


class FrameWriter:
    """Compresses the lines of one frame; what each call returns belongs behind the last."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = self._bytes = 0
        self._moments: list[int] = []
        self._tiers: list[Tier | None] = []
        self._checks: list[int] = []

    @property
    def full(self) -> bool:
        return len(self._tiers) >= FRAME

    def add(self, line: bytes, at_ms: int, tier: Tier | None) -> bytes:
        """The bytes of one more line, from which it can be read."""
        self._checks.append(zlib.crc32(line))
        line += b"\n"
        self._crc = zlib.crc32(line, self._crc)
        self._bytes += len(line)
        self._moments.append(at_ms)
        self._tiers.append(tier)
        return self._deflate.compress(line) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """The bytes that complete the member."""
        return self._deflate.flush() + _TRAILER.pack(self._crc, self._bytes & 0xFFFFFFFF)

    def summary(self, size: int) -> Summary:
        """What was written, in so many bytes with header and end."""
        checks = _CHECKS.pack(*self._checks, *[0] * (FRAME - len(self._checks)))
        return Summary(min(self._moments), max(self._moments), size, tuple(self._tiers), checks)


def lines(frame: bytes) -> list[bytes]:
    """The lines of one frame's bytes that are whole."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    text = bytearray()
    try:
        for start in range(HEADER, len(frame), _CHUNK):
            text += inflate.decompress(frame[start : start + _CHUNK])
            if inflate.eof or len(text) > MAX_FRAME_BYTES:
                break
    except zlib.error:
        pass
    found = bytes(text).split(b"\n")[:-1]
    known = summary(frame[:HEADER])
    if known is None:
        return found
    checks = set(_CHECKS.unpack(known.checks))
    return [line for line in found if zlib.crc32(line) in checks]


def moment(line: bytes) -> int | None:
    """When a snapshot was made, Unix milliseconds; None for what is none."""
    found = _AT.search(line, 0, 1024)
    try:
        at = datetime.fromisoformat(found[1].decode()) if found else None
        return None if at is None else round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
