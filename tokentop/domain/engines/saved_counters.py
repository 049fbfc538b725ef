"""An engine's counters as plain JSON values: what a one-shot view leaves for its next call.

What is restored was on disk, so it is untrusted input: malformed data restores nothing.
"""

from math import inf, isfinite, isnan
from typing import Any, get_args

from tokentop.domain.engines.readings import (
    Counters,
    EngineKind,
    EngineReading,
    Histogram,
    SlotProgress,
)

MAX_ITEMS = 1024


def dump(reading: EngineReading, at: float) -> dict[str, object]:
    """What rates are made of, with the monotonic second it was read at."""
    return {
        "at": at,
        "kind": reading.kind,
        "epoch": reading.epoch,
        "counters": list(reading.counters),
        "slots": None if reading.slots is None else [list(slot) for slot in reading.slots],
        "ttft": _plain_histogram(reading.ttft),
        "itl": _plain_histogram(reading.itl),
    }


def restore(value: object) -> tuple[float, EngineReading] | None:
    """The second it was read at, and the reading; None for anything malformed."""
    try:
        return _restored(value)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return None


def _restored(value: Any) -> tuple[float, EngineReading]:
    slots, kind = value["slots"], value["kind"]
    if kind not in get_args(EngineKind):
        raise ValueError(kind)
    reading = EngineReading(
        kind,
        counters=Counters(*(_number(each) for each in value["counters"])),
        slots=None if slots is None else tuple(_slot(*each) for each in slots[:MAX_ITEMS]),
        ttft=_histogram(value["ttft"]),
        itl=_histogram(value["itl"]),
        epoch=_number(value["epoch"]),
    )
    return float(value["at"]), reading


def _plain_histogram(histogram: Histogram | None) -> list[object] | None:
    if histogram is None:
        return None
    buckets = [[None if bound == inf else bound, count] for bound, count in histogram.buckets]
    return [buckets, histogram.total, histogram.observations]


def _histogram(value: Any) -> Histogram | None:
    if value is None:
        return None
    buckets, total, observations = value
    return Histogram(
        tuple((_bound(bound), _sure(count)) for bound, count in buckets[:MAX_ITEMS]),
        _number(total),
        _number(observations),
    )


def _bound(value: Any) -> float:
    return inf if value is None else _sure(value)


def _sure(value: Any) -> float:
    number = _number(value)
    if number is None:
        raise ValueError(value)
    return number


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if isnan(number) or not isfinite(number):
        raise ValueError(value)
    return number


def _slot(task: Any, generated: Any, prompt: Any) -> SlotProgress:
    if not isinstance(task, str):
        raise TypeError(task)
    return SlotProgress(task, int(generated), int(prompt))
