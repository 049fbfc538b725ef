"""Large JSON documents read element by element, so that other threads run in between.

json.loads holds the interpreter until a whole document is read: 0.3 s for 16 MiB.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out

from tokentop.light_typing import Any

WINDOW = 8192  # what ends within so many characters is read at once
TRIES = 3
_NUMBERS = frozenset("-0123456789")
_ENDS = {"{": "},", "[": "],"}  # of an element that others follow

_BLANK = re.compile(r"[ \t\n\r]*")


def load(text: str, parse_int: Callable[[str], object]) -> object:
    """The document; raises ValueError or RecursionError, as json.loads does."""
    reader = _Reader(text, parse_int)
    document, end = reader.value(reader.skip(0))
    if reader.skip(end) != len(text):
        raise ValueError("something follows the document")
    return document


class _Reader:
    """Each reader returns a value and where it ends."""

    __slots__ = ("_decode", "_text")

    def __init__(self, text: str, parse_int: Callable[[str], object]) -> None:
        self._text = text
        self._decode = json.JSONDecoder(parse_int=parse_int).raw_decode

    def skip(self, at: int) -> int:
        """Where the next thing begins."""
        found = _BLANK.match(self._text, at)
        assert found is not None
        return found.end()

    def value(self, at: int) -> tuple[Any, int]:
        if self._text[at : at + 1] in _NUMBERS:  # a part of a number is a number as well
            return self._decode(self._text, at)
        try:
            value, size = self._decode(self._text[at : at + WINDOW])
        except ValueError:
            return self._large(at)
        if size < WINDOW or at + size == len(self._text):
            return value, at + size
        return self._large(at)

    def _large(self, at: int) -> tuple[Any, int]:
        opening = self._text[at : at + 1]
        if opening == "[":
            return self._list(at + 1)
        if opening == "{":
            return self._object(at + 1)
        if opening == '"':
            text: tuple[str, int] = scanstring(self._text, at + 1)
            return text
        return self._decode(self._text, at)

    def _list(self, at: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        at = self.skip(at)
        if self._text[at : at + 1] == "]":
            return items, at + 1
        while True:
            at = self.skip(at)
            several, at = self._several(at)
            items += several
            item, at = self.value(self.skip(at))
            items.append(item)
            at, ended = self._separator(at, "]")
            if ended:
                return items, at

    def _several(self, at: int) -> tuple[list[Any], int]:
        """As many elements as the window holds whole, and where the next one begins.

        What reads as a list up to a comma ends there: no open text or bracket would.
        """
        window = self._text[at : at + WINDOW]
        end, mark = len(window), _ENDS.get(window[:1], ",")
        for _ in range(TRIES):
            end = window.rfind(mark, 0, end)
            if end < 0:
                break
            cut = end + len(mark) - 1
            with suppress(ValueError):
                items, size = self._decode(f"[{window[:cut]}]")
                if items and size == cut + 2:
                    return items, at + cut + 1
        return [], at

    def _object(self, at: int) -> tuple[dict[str, Any], int]:
        items: dict[str, Any] = {}
        at = self.skip(at)
        if self._text[at : at + 1] == "}":
            return items, at + 1
        while True:
            name, at = self._name(self.skip(at))
            items[name], at = self.value(self.skip(at))
            at, ended = self._separator(at, "}")
            if ended:
                return items, at

    def _name(self, at: int) -> tuple[str, int]:
        if self._text[at : at + 1] != '"':
            raise ValueError("a name was expected")
        name, at = scanstring(self._text, at + 1)
        at = self.skip(at)
        if self._text[at : at + 1] != ":":
            raise ValueError("a colon was expected")
        return name, at + 1

    def _separator(self, at: int, closing: str) -> tuple[int, bool]:
        """Where the next element begins, and whether there is none."""
        at = self.skip(at)
        mark = self._text[at : at + 1]
        if mark != closing and mark != ",":
            raise ValueError("a comma was expected")
        return at + 1, mark == closing
