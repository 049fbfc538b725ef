"""What one body may decode into: a few KiB of gzip could else become GBs of Python's objects.

The unit is some 50 bytes of memory and 0.5 us of CPU. OpenTelemetry's collector sends 8,192 spans
at once, which are 2.5 million units where each has 30 attributes.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from tokentop.light_typing import TypeVar
from tokentop.sources.usage.fields import Unreadable

T = TypeVar("T")

UNITS = 3_000_000
OBJECT = 3  # more units of a list, an object or a message; every value is one
RECORDS = 20_000  # spans, log records, data points or events, whether they report tokens or not
_IN_TEXTS = 4  # more of JSON's marks, where most of them stand in texts, as prompts have them
_TEXT_OR_MARK = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{])|(,)', re.DOTALL)


class TooLarge(Unreadable):
    """The body is well, and more than is taken at once."""

    def __init__(self) -> None:
        super().__init__("the body holds too many records or values; send smaller batches")


class Allowance:
    """What is left of one body's units."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = UNITS

    def take(self, units: int) -> None:
        """Raises TooLarge where they are used up."""
        self._left -= units
        if self._left < 0:
            raise TooLarge


def check_json(body: bytes) -> None:
    """Raise TooLarge for a JSON document, or lines of them, of too many units; reads no value.

    Marks are counted first, which is quick, and only where they are too many those within texts
    are left out.
    """
    units = OBJECT * (body.count(b"[") + body.count(b"{")) + body.count(b",")
    if units <= UNITS:
        return
    if units > _IN_TEXTS * UNITS:
        raise TooLarge
    allowance = Allowance()
    for found in _TEXT_OR_MARK.finditer(body):
        if found.lastindex is not None:
            allowance.take(OBJECT if found.lastindex == 1 else 1)


def at_most(records: Iterable[T], most: int = RECORDS) -> Iterator[T]:
    """The records; raises TooLarge where there are more."""
    rest = iter(records)
    yield from islice(rest, most)
    for _ in rest:
        raise TooLarge
