"""One line of JSON, schema `tokentop/1` -> Snapshot: what a file or another collector holds.

It is remote input: a value of another type than its field's is the field's default, a row that
lacks what it must have is left out, and keys that this version does not know are ignored. So an
older and a newer version read each other.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Union, get_origin, get_type_hints  # noqa: TID251

from tokentop.domain import gpu_detail, snapshot_ledger
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import SCHEMA
from tokentop.domain.text import clean
from tokentop.light_typing import Any, Literal, get_args

MAX_ROWS = 16_384
MAX_TEXT = 4096
MAX_NUMBER = 2**63

Decode = Callable[[Any], Any]  # raises ValueError for a value of another type


def loads(line: str | bytes) -> Snapshot | None:
    """The snapshot of one line; None where it is no JSON, or of another schema."""
    try:
        return decode(json.loads(line))
    except (ValueError, RecursionError):
        return None


def decode(value: object) -> Snapshot | None:
    """The snapshot of a `tokentop/1` object; None for anything else."""
    if not isinstance(value, Mapping) or value.get("schema") != SCHEMA:
        return None
    online = value.get("services_online")
    pairs = list(online.items()) if isinstance(online, Mapping) else None
    found: Snapshot = _decoder(Snapshot)({**value, "services_online": pairs})
    return found


def field_types(row: type) -> dict[str, Any]:
    """The type of each field, those too that snapshot.py imports for the type checker alone."""
    return get_type_hints(row, localns={**vars(gpu_detail), **vars(snapshot_ledger)})


@cache
def _decoder(kind: Any) -> Decode:
    """What reads a value of this type: a scalar, a Literal, an optional, a tuple or a row."""
    origin = get_origin(kind)
    if origin is Literal:
        return _one_of(frozenset(get_args(kind)))
    if origin in (Union, UnionType):
        return _union(tuple(_decoder(each) for each in get_args(kind)))
    if origin is tuple:
        items = get_args(kind)
        return _items(items) if items[-1] is Ellipsis else _pair(items)
    return _row(kind) if hasattr(kind, "_fields") else _SCALARS[kind]


def _one_of(words: frozenset[str]) -> Decode:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in words:
            raise ValueError
        return value

    return read


def _union(members: tuple[Decode, ...]) -> Decode:
    def read(value: object) -> object:
        for member in members:
            try:
                return member(value)
            except ValueError:
                continue
        raise ValueError

    return read


def _items(kinds: tuple[Any, ...]) -> Decode:
    item = _decoder(kinds[0])

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ValueError
        return tuple(_sound(item, value[:MAX_ROWS]))

    return read


def _pair(kinds: tuple[Any, ...]) -> Decode:
    parts = [_decoder(kind) for kind in kinds]

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list | tuple) or len(value) != len(parts):
            raise ValueError
        return tuple(part(each) for part, each in zip(parts, value, strict=True))

    return read


def _sound(item: Decode, values: list[object]) -> list[object]:
    """The values that can be read; one that cannot costs only itself."""
    found: list[object] = []
    for value in values:
        try:
            found.append(item(value))
        except ValueError:
            continue
    return found


def _row(kind: Any) -> Decode:
    hints = field_types(kind)
    fields = [(name, _decoder(hint)) for name, hint in hints.items()]

    def read(value: object) -> object:
        if not isinstance(value, Mapping):
            raise ValueError
        found: dict[str, object] = {}
        for name, field in fields:
            try:
                found[name] = field(value[name])
            except (KeyError, ValueError):
                if name not in kind._field_defaults:
                    raise ValueError from None
        return kind(**found)

    return read


def _none(value: object) -> None:
    if value is not None:
        raise ValueError


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_NUMBER:
        raise ValueError
    return value


def _number(value: object) -> float:
    if isinstance(value, float) and isfinite(value):
        return value
    return _integer(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return clean(value, MAX_TEXT)


_SCALARS: dict[Any, Decode] = {
    NoneType: _none,
    bool: _boolean,
    int: _integer,
    float: _number,
    str: _text,
}
