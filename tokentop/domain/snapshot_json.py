"""Snapshot -> one line of JSON, schema `tokentop/1`; snapshot_decode.py is the way back.

The snapshot's named tuples are the public shape, key for key and in order, so this is a plain
walk; tests/domain/test_snapshot_json.py holds the published key lists and fails when they differ.
"""

import json
from math import isfinite

from tokentop.domain.snapshot import Snapshot

SCHEMA = "tokentop/1"
_PLAIN = (str, int, bool, type(None))  # most values; the exact types cost no call


def dumps(snapshot: Snapshot) -> str:
    """Return one line of pure ASCII (readable under any locale) with finite numbers only."""
    return line_of(encode(snapshot))


def line_of(value: dict[str, object]) -> str:
    """The line of an encoded snapshot."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def encode(snapshot: Snapshot) -> dict[str, object]:
    """Return the `tokentop/1` object as plain JSON values."""
    value = {"schema": SCHEMA, **_object(snapshot)}
    value["services_online"] = dict(snapshot.services_online)
    return value


def _object(row: tuple[object, ...]) -> dict[str, object]:
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
    return {
        name: value if type(value) in _PLAIN else _plain(value)
        for name, value in zip(fields, row, strict=True)
    }


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, tuple):
        return _object(value) if hasattr(value, "_fields") else [_plain(each) for each in value]
    return value
