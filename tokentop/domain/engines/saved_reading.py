"""An engine's last reading as plain JSON values, without its counters: gauges, names, health.

What is restored was on disk, so it is untrusted input: a value of another type is unknown.
"""

from collections.abc import Mapping
from math import isfinite

from tokentop.domain.engines.readings import (
    Counters,
    EngineHealth,
    EngineKind,
    EngineReading,
    ObservedSlots,
    SlotsSource,
)
from tokentop.domain.text import clean
from tokentop.light_typing import Any, get_args

MAX_NAMES = 256
MOST = 1_000_000  # slots, and sightings
_NUMBERS = (
    "active",
    "queued",
    "max_slots",
    "kv_cache",
    "generation_tokens_per_s",
    "vram_bytes",
    "kv_gpu_bytes",
    "weights_gpu_bytes",
    "names_more",
)
_FLAGS = ("kv_estimated", "back_pressure", "router")
_TEXTS = ("version", "model", "advice")
_LISTS = ("models", "backends", "bad", "aliases", "adapters")
_WORDS: dict[str, tuple[str, ...]] = {
    "health": get_args(EngineHealth),
    "slots_source": get_args(SlotsSource),
}


def dump(reading: EngineReading) -> dict[str, object]:
    """The reading's plain fields."""
    names = (*_NUMBERS, *_FLAGS, *_TEXTS, *_LISTS, *_WORDS)
    return {**{name: getattr(reading, name) for name in names}, "counters": reading.counters}


def restore(saved: object, kind: EngineKind) -> EngineReading | None:
    """The reading that `dump` left; None where there is none."""
    if not isinstance(saved, Mapping):
        return None
    fields = {
        name: value for name, row in saved.items() if (value := _typed(name, row)) is not None
    }
    return EngineReading(kind, **fields, counters=_counters(saved.get("counters")))


def _counters(saved: object) -> Counters:
    numbers = saved if isinstance(saved, list) else []
    if len(numbers) != len(Counters._fields):
        return Counters()
    return Counters(*(each if _is_number(each) else None for each in numbers))


def restore_observed(saved: object) -> ObservedSlots:
    """The evidence of slots that was dumped as a list; none where it is malformed."""
    match saved:
        case [int() as most, int() as sightings, int() | float() | None as epoch, bool() as apart]:
            if 0 <= most <= MOST and 0 <= sightings <= MOST:
                return ObservedSlots(most, sightings, epoch, apart)
    return ObservedSlots()


def _typed(name: str, value: object) -> Any:
    """The value where it is of its field's type, else None."""
    if name in _NUMBERS:
        return value if _is_number(value) else None
    if name in _FLAGS:
        return value if isinstance(value, bool) else None
    if name in _LISTS:
        if not isinstance(value, list):
            return None
        return tuple(clean(each) for each in value[:MAX_NAMES] if isinstance(each, str))
    if name in _TEXTS:
        return clean(value) if isinstance(value, str) else None
    return value if value in _WORDS.get(name, ()) else None


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return isfinite(value) and value >= 0
