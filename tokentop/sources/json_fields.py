"""Tolerant JSON reading: remote bytes to plain values, with the unusable fields named.

Nothing here raises on what a body holds except `BadData`, whose text is one safe sentence.
"""

import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence

from tokentop.domain.text import clean_name
from tokentop.light_typing import TypeVar

T = TypeVar("T")

MIB = 1024 * 1024
LARGEST = float(2**53)  # above it a JSON number is no longer exact; no count or price is so big
ROUNDING = 0.005  # a ratio so little above 1 was rounded
TEXT_CHARS = 256
LIST_ITEMS = 512
AT_ONCE = 128 * 1024  # characters; a larger document is read in slices

# Compiled with the first number that is a text: most services send none.
_NUMBER = r"[+-]?([0-9]{1,32}(\.[0-9]{0,32})?|\.[0-9]{1,32})([eE][+-]?[0-9]{1,3})?"
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


class BadData(ValueError):
    """The source answered, but not with what it should; the text is one sentence."""


def load(body: bytes, at_once: int = AT_ONCE) -> object:
    """The JSON document in `body` (UTF-8, with or without a byte order mark); else BadData.

    Slices take five times as long as a whole document: `at_once` characters are read whole.
    """
    if not body.strip():
        raise BadData("the answer is empty")
    if body.lstrip(BOM_UTF8 + b" \t\r\n")[:1] == b"<":
        raise BadData("the answer is HTML, not JSON")
    try:
        document = _document(body.removeprefix(BOM_UTF8).decode(), at_once)
    except UnicodeDecodeError:
        raise BadData("the answer is not UTF-8 text") from None
    except RecursionError:
        raise BadData("the answer is nested too deeply to be read") from None
    except ValueError:
        raise BadData("the answer is not valid JSON") from None
    return document


def _document(text: str, at_once: int) -> object:
    if len(text) <= at_once:
        from json import loads  # with the first answer: no picture waits for its expressions

        document: object = loads(text, parse_int=_integer)
        return document
    from tokentop.sources.json_slices import load as load_slices

    return load_slices(text, _integer)


def mapping(document: object) -> Mapping[str, object]:
    """The top-level object; BadData where the document is something else."""
    if not isinstance(document, dict):
        raise BadData(f"the answer is {_kind(document)}, not an object")
    return document


def rows(document: object, *wrappers: str) -> Sequence[object]:
    """The top-level list, bare or under one of `wrappers` (null there is empty); else BadData.

    A wrapped object of objects counts as the list of its values.
    """
    if isinstance(document, dict):
        name = next((name for name in wrappers if name in document), None)
        if name is None:
            raise BadData(f"the answer holds no list called {' or '.join(wrappers)}")
        document = document[name]
        if document is None:
            return ()
        if isinstance(document, dict) and all(isinstance(v, dict) for v in document.values()):
            return list(document.values())
    if not isinstance(document, list):
        raise BadData(f"the answer is {_kind(document)}, not a list")
    return document


def objects(
    document: object, *wrappers: str, name: str
) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    """The objects in a list as `rows` finds it, and (`name`,) where that lost some of its rows."""
    listed = rows(document, *wrappers)[:LIST_ITEMS]
    found = [row for row in listed if isinstance(row, dict)]
    return found, () if len(found) == len(listed) else (name,)


class Fields:
    """Reads one JSON object field by field; `bad` collects the names of refused fields.

    Each reader takes the field's name in our reading, then the names to look for (the field's
    own name where none is given); the first name that holds something decides.
    """

    __slots__ = ("_data", "_refused")

    def __init__(self, data: Mapping[str, object]) -> None:
        self._data = data
        self._refused: list[str] = []

    @property
    def bad(self) -> tuple[str, ...]:
        return tuple(self._refused)

    def mark(self, field: str) -> None:
        """Name `field` as refused or clamped."""
        if field not in self._refused:
            self._refused.append(field)

    def nested(self, name: str) -> "Fields":
        """The object at `name`, an empty one where it is none; its refused fields count here."""
        found = self.raw(name)
        inner = Fields(found if isinstance(found, dict) else {})
        inner._refused = self._refused
        return inner

    def raw(self, field: str, *names: str) -> object:
        """The first of `names` that is present and not null, as it came."""
        for name in names or (field,):
            if (value := self._data.get(name)) is not None:
                return value
        return None

    def read(self, convert: Callable[[object], T | None], field: str, *names: str) -> T | None:
        """The converted value; None when missing, None and marked when `convert` refuses it."""
        value = self.raw(field, *names)
        if value is None:
            return None
        converted = convert(value)
        if converted is None:
            self.mark(field)
        return converted

    def number(self, field: str, *names: str) -> float | None:
        """A finite number of either sign."""
        return self.read(as_number, field, *names)

    def amount(self, field: str, *names: str) -> float | None:
        """A finite number, not negative."""
        return self.read(as_amount, field, *names)

    def count(self, field: str, *names: str) -> int | None:
        """A whole number, not negative; a fraction (a mean) is rounded."""
        return self.read(as_count, field, *names)

    def count_or_size(self, field: str, *names: str) -> int | None:
        """As `count`, and a list or an object counts as its length."""
        return self.read(_count_or_size, field, *names)

    def size_mb(self, field: str, *names: str) -> int | None:
        """Bytes, from a number of MiB."""
        return self.read(lambda value: _scaled(value, MIB), field, *names)

    def size_gb(self, field: str, *names: str) -> int | None:
        """Bytes, from a number of GiB."""
        return self.read(lambda value: _scaled(value, 1024 * MIB), field, *names)

    def boolean(self, field: str, *names: str) -> bool | None:
        return self.read(as_boolean, field, *names)

    def text(self, field: str, *names: str) -> str | None:
        """Safe text of at most 256 characters; a number is written out, empty text is missing."""
        return self.read(as_text, field, *names) or None

    def ratio(self, field: str, *names: str) -> float | None:
        """0-1. A bit over 1 (an overcommitted ratio) is clamped and marked; 2-100 is per cent."""
        value = self.amount(field, *names)
        if value is None or value <= 1.0:
            return value
        if 2.0 < value <= 100.0:
            return value / 100.0
        self.mark(field)
        return 1.0 if value <= 2.0 else None

    def share(self, field: str, *names: str) -> float | None:
        """0-1, and nothing else: an engine's ratio above 1 is no measurement."""
        return self.read(as_share, field, *names)

    def names(self, field: str, *names: str, limit: int = LIST_ITEMS) -> tuple[str, ...] | None:
        """A list of names (text, or objects with a name), without repeats."""
        value = self.raw(field, *names)
        if value is None:
            return None
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, (list, dict)):
            self.mark(field)
            return None
        found = [_name(item) for item in list(value)[:limit]]
        if None in found:
            self.mark(field)
        return tuple(dict.fromkeys(name for name in found if name))

    def clamp(self, field: str, value: int | None, limit: int | None) -> int | None:
        """`value`, or `limit` with the field marked where the value exceeds it."""
        if value is None or limit is None or value <= limit:
            return value
        self.mark(field)
        return limit


def as_number(value: object) -> float | None:
    """A finite float from a number or a decimal text; None for anything else, true and NaN too."""
    if isinstance(value, str):
        if not re.fullmatch(_NUMBER, text := value[:128].strip()):
            return None
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if -LARGEST <= value <= LARGEST else None  # NaN compares false


def as_amount(value: object) -> float | None:
    number = as_number(value)
    return abs(number) if number is not None and number >= 0 else None  # abs: no -0.0


def as_share(value: object) -> float | None:
    """A ratio 0-1; None for anything above."""
    number = as_amount(value)
    return None if number is None or number > 1 + ROUNDING else min(1.0, number)


def as_count(value: object) -> int | None:
    number = as_amount(value)
    return None if number is None else int(number + 0.5)


def as_boolean(value: object) -> bool | None:
    word = str(value).strip().lower() if isinstance(value, (bool, int, str)) else ""
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def as_text(value: object) -> str | None:
    """Safe text; None where the value is neither text nor a number."""
    if isinstance(value, str):
        return clean_name(value, TEXT_CHARS)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    number = as_number(value)
    return None if number is None else f"{number:g}"


def _name(item: object) -> str | None:
    if isinstance(item, dict):
        fields = Fields(item)
        return fields.text("name", "name", "id", "model")
    return as_text(item) or None


def _count_or_size(value: object) -> int | None:
    return len(value) if isinstance(value, (list, dict)) else as_count(value)


def _scaled(value: object, unit: int) -> int | None:
    number = as_amount(value)
    return int(number * unit) if number is not None and number * unit <= LARGEST else None


def _integer(text: str) -> int | float:
    # int() refuses more than 4300 digits, and a number so long is no measurement anyway.
    return int(text) if len(text) <= 32 else math.copysign(math.inf, -1 if text[0] == "-" else 1)


def _kind(document: object) -> str:
    if document is None:
        return "null"
    if isinstance(document, bool):
        return "true or false"
    if isinstance(document, (int, float)):
        return "a number"
    if isinstance(document, str):
        return "a text"
    return "a list" if isinstance(document, list) else "an object"
