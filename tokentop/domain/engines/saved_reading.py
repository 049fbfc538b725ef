"""An engine's last reading as plain JSON values, without its counters: gauges, names, health.

What is restored was on disk, so it is untrusted input: a value of another type is unknown.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, get_args

from tokentop.domain.engines.readings import EngineHealth, EngineKind, EngineReading, SlotsSource
from tokentop.domain.text import clean

MAX_NAMES = 64
_NUMBERS = ("active", "queued", "max_slots", "kv_cache", "generation_tokens_per_s", "vram_bytes")
_FLAGS = ("kv_estimated", "back_pressure", "router")
_TEXTS = ("version", "model", "advice")
_LISTS = ("models", "backends", "bad")
_WORDS: dict[str, tuple[str, ...]] = {
    "health": get_args(EngineHealth),
    "slots_source": get_args(SlotsSource),
}


def dump(reading: EngineReading) -> dict[str, object]:
    """The reading's plain fields."""
    names = (*_NUMBERS, *_FLAGS, *_TEXTS, *_LISTS, *_WORDS)
    return {name: getattr(reading, name) for name in names}


def restore(saved: object, kind: EngineKind) -> EngineReading | None:
    """The reading that `dump` left; None where there is none."""
    if not isinstance(saved, Mapping):
        return None
    fields = {
        name: value for name, row in saved.items() if (value := _typed(name, row)) is not None
    }
    return EngineReading(kind, **fields)


def _typed(name: str, value: object) -> Any:
    """The value where it is of its field's type, else None."""
    if name in _NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        return value if number else None
    if name in _FLAGS:
        return value if isinstance(value, bool) else None
    if name in _LISTS:
        names = value[:MAX_NAMES] if isinstance(value, list) else ()
        return tuple(clean(each) for each in names if isinstance(each, str)) or None
    if name in _TEXTS:
        return clean(value) if isinstance(value, str) else None
    return value if value in _WORDS.get(name, ()) else None
