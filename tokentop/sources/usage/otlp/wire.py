"""Protocol Buffers' wire format, as far as OTLP needs it: bytes -> the objects of OTLP's JSON.

One shape for both encodings, so that each export is read by one set of rules; a library would give
a second. Only the fields in a schema are taken out: text of prompts is stepped over, unread.
https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Callable, Mapping
from struct import Struct

from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.sources.usage.allowance import OBJECT, Allowance
from tokentop.sources.usage.fields import Unreadable

MAX_TEXT = 4096  # bytes of a text; whatever is used of it is cut shorter later
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MALFORMED = "the body is no OTLP in protobuf"


class Field(NamedTuple):
    """A field's JSON name, its wire type, and what its raw value means; `many`: it is a list."""

    name: str
    wire: int
    read: Callable[[Any, Allowance], object]
    many: bool = False


Schema = Mapping[int, Field]


def decode(data: memoryview, schema: Schema, allowance: Allowance) -> dict[str, Any]:
    """The fields of a message that are in the schema; raises Unreadable where the bytes end amiss.

    As protobuf has it: unknown fields are skipped, and of a repeated single one the last counts.
    All of them count in the allowance; raises TooLarge.
    """
    allowance.take(OBJECT)
    found: dict[str, Any] = {}
    at, end = 0, len(data)
    while at < end:
        allowance.take(1)
        tag, at = _varint(data, at)
        value: int | memoryview
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if wire == _LENGTH else (_FIXED.get(wire), at)
            if size is None or at + size > end:
                raise Unreadable(_MALFORMED)
            value, at = data[at : at + size], at + size
        field = schema.get(tag >> 3)
        if field is not None and field.wire == wire:
            _put(found, field, field.read(value, allowance))
    return found


def _put(found: dict[str, Any], field: Field, value: object) -> None:
    if field.many:
        found.setdefault(field.name, []).append(value)
    else:
        found[field.name] = value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits, and where the next byte is."""
    if at < len(data) and (value := data[at]) < 0x80:  # nearly all are that small
        return value, at + 1
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise Unreadable(_MALFORMED)


def message(name: str, schema: Schema, *, many: bool = False) -> Field:
    return Field(name, _LENGTH, lambda raw, allowance: decode(raw, schema, allowance), many)


def text(name: str) -> Field:
    return Field(name, _LENGTH, lambda raw, _: bytes(raw[:MAX_TEXT]).decode("utf-8", "replace"))


def identity(name: str) -> Field:
    """A trace's or a span's id, in hex as OTLP's JSON has it."""
    return Field(name, _LENGTH, lambda raw, _: bytes(raw[:16]).hex())


def boolean(name: str) -> Field:
    return Field(name, _VARINT, lambda raw, _: bool(raw))


def number(name: str) -> Field:
    """An int64: negative numbers are two's complement."""
    return Field(name, _VARINT, lambda raw, _: raw - (1 << 64) if raw >> 63 else raw)


def fixed(name: str, kind: str) -> Field:
    """Eight bytes: `kind` is struct's letter for them."""
    unpack = Struct(f"<{kind}").unpack
    return Field(name, _FIXED64, lambda raw, _: unpack(raw)[0])


def encoded(number: int, value: int | bytes) -> bytes:
    """One field of an answer; zero and empty ones are left out, as proto3 does."""
    if not value:
        return b""
    if isinstance(value, int):
        return _as_varint(number << 3 | _VARINT) + _as_varint(value)
    return _as_varint(number << 3 | _LENGTH) + _as_varint(len(value)) + value


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
