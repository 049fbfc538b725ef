"""Readings that the verdict is made of, and rented GPUs, as plain JSON values for the next call.

What is restored was on disk, so it is untrusted input: what is malformed is left out.
"""

from collections.abc import Mapping
from math import isfinite

from tokentop.domain.fold.last_good import LastGood
from tokentop.domain.readings import (
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
    PressureReading,
    QueueReading,
    Reading,
    VramReading,
)
from tokentop.light_typing import Any

MAX_KEPT = 256
MAX_NAMES = 64
_NAMES = ("models", "bad")
_KEPT = {kind.__name__: kind for kind in (QueueReading, VramReading, PressureReading)}
_LISTS = {
    "OffersReading": (OffersReading, Offer),
    "InstancesReading": (InstancesReading, InstanceReading),
}
_AMOUNTS = ("vram_bytes", "usd_per_hour")

Saved = dict[str, object]


def dump(held: Mapping[str, LastGood]) -> Saved:
    """By key: when the last good answer came (monotonic seconds), and the answer if it is kept."""
    return {
        key: {
            "at": one.good_at,
            "kind": type(one.good).__name__,
            "values": _values(one.good),
        }
        for key, one in held.items()
        if one.good_at is not None
    }


def restore(saved: object, now: float) -> dict[str, LastGood]:
    """What `dump` left at an earlier moment of this clock."""
    rows = list(saved.items())[:MAX_KEPT] if isinstance(saved, dict) else ()
    return {key: one for key, row in rows if (one := _restored(row, now)) is not None}


def _values(reading: Reading | None) -> list[object] | None:
    if isinstance(reading, OffersReading | InstancesReading):
        return [list(item) for item in reading[0][:MAX_KEPT]]
    return list(reading) if type(reading).__name__ in _KEPT and reading is not None else None


def _restored(row: object, now: float) -> LastGood | None:
    at = row.get("at") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(at, int | float) or not at <= now:
        return None
    good = _reading(row.get("kind"), row.get("values"))
    return LastGood(good, float(at))


def _reading(name: object, values: object) -> Reading | None:
    if not isinstance(name, str) or not isinstance(values, list):
        return None
    if name in _LISTS:
        return _list(name, values)
    kind = _KEPT.get(name)
    if kind is None or len(values) != len(kind._fields):
        return None
    fields = {name: _part(name, value) for name, value in zip(kind._fields, values, strict=True)}
    return kind(**{name: value for name, value in fields.items() if value is not None})


def _list(name: str, rows: list[object]) -> Reading:
    """Offers or instances without those that are malformed."""
    reading, kind = _LISTS[name]
    items = (_item(kind, row) for row in rows[:MAX_KEPT])
    found: Reading = reading(tuple(one for one in items if one is not None))
    return found


def _item(kind: type[Offer] | type[InstanceReading], row: object) -> Any:
    """One offer or instance; None where a field is of another type."""
    if not isinstance(row, list) or len(row) != len(kind._fields):
        return None
    fields = dict(zip(kind._fields, row, strict=True)) | {"bad": ()}
    for name, value in fields.items():
        right = _is_number(value) if name in _AMOUNTS else isinstance(value, str | tuple)
        if value is not None and not right:
            return None
    return kind(**fields)


def _part(name: str, value: object) -> Any:
    """The field's value, of the field's type; None where it is of another."""
    if name in _NAMES:
        names = value[:MAX_NAMES] if isinstance(value, list) else ()
        return tuple(each for each in names if isinstance(each, str)) or None
    if name == "back_pressure":
        return value if isinstance(value, bool) else None
    return value if _is_number(value) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
