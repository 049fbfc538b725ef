"""One engine's rate tracker as plain JSON values: what a one-shot view leaves for its next call.

With it the next call measures what a running program would. What comes back was on disk, so it is
read as anybody's data: where a part does not fit the file is of no use. Everything is bounded.
"""

from collections.abc import Callable, Iterator, Mapping
from math import inf, isfinite

from tokentop.domain.engines.baselines import (
    Baseline,
    Column,
    Counts,
    Held,
    HeldHistogram,
    HistogramBaselines,
    Span,
)
from tokentop.domain.engines.rates import FIGURES, Mark, RateTracker
from tokentop.domain.engines.readings import Histograms, SlotProgress
from tokentop.domain.engines.replicas import MAX_EPOCHS, MAX_SUMS, MAX_WATCHED, SHOWN_S, Replicas
from tokentop.domain.engines.slot_tokens import Slot, SlotTokens, Tokens
from tokentop.light_typing import Any

MAX_MARKS = 96
MAX_SETS = 2048
MAX_COLUMNS = 64
MAX_BOUNDS = 256
MAX_SLOTS = 1024
KEY_CHARS = 512

Saved = dict[str, object]


def dump(tracker: RateTracker) -> Saved:
    """Everything that the next reading is measured against; readings to come leave it as it is."""
    columns = list(dict.fromkeys(c for mark in tracker.marks for c in mark.columns))[:MAX_COLUMNS]
    return {
        "read_at": tracker.read_at,
        "epoch": tracker.epoch,
        "totals": list(tracker.totals),
        "counted": sorted(tracker.counted),
        "out_of_sight": tracker.out_of_sight,
        "spans": list(tracker.spans),
        "sets": list(_sets(tracker.baselines)),
        "columns": [[name, [_finite(b) for b in bounds]] for name, bounds in columns],
        "marks": list(_marks(tracker.marks[-MAX_MARKS:], columns)),
        "histograms": list(_histograms(tracker.histograms, columns)),
        "slots": [list(slot) for slot in list(tracker.slots.slots.values())[:MAX_SLOTS]],
        "slot_tokens": tracker.slots.total[:2],
        "replicas": _replicas(tracker.replicas),
    }


def restore(saved: Mapping[str, object], now: float) -> RateTracker:
    """The tracker that `dump` left at an earlier moment of this clock; else an empty one."""
    tracker = RateTracker()
    try:
        for read in _READERS:
            read(tracker, saved, now)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError):
        return RateTracker()
    return tracker


def _sets(baselines: list[Baseline]) -> Iterator[list[object]]:
    """The label sets that were seen at the same times together."""
    left = MAX_SETS
    for figure, baseline in enumerate(baselines):
        alike: dict[tuple[float, float], list[list[object]]] = {}
        for key, held in list(baseline.sets.items())[:left]:
            alike.setdefault((held.at, held.since), []).append([key, held.value])
            left -= 1
        yield from ([figure, *times, rows] for times, rows in alike.items())


def _marks(marks: list[Mark], columns: list[Column]) -> Iterator[list[object]]:
    """Buckets that did not change since the mark before are null; they are most."""
    before: dict[Column, Counts] = {}
    for mark in marks:
        counts = [
            None if mark.columns.get(c) == before.get(c) else mark.columns.get(c) for c in columns
        ]
        yield [mark.at, mark.totals, counts, mark.partial]
        before = mark.columns


def _histograms(baselines: HistogramBaselines, columns: list[Column]) -> Iterator[list[object]]:
    places = {column: place for place, column in enumerate(columns)}
    for (name, key), held in list(baselines.sets.items())[:MAX_SETS]:
        if (place := places.get((name, held.bounds))) is not None:
            yield [place, key, held.at, held.counts]


def _replicas(replicas: Replicas) -> Saved:
    names = replicas.__slots__
    return {name: getattr(replicas, name) for name in names}


def _finite(bound: float) -> float | None:
    return None if bound == inf else bound


def _read_times(tracker: RateTracker, saved: Mapping[str, Any], now: float) -> None:
    tracker.read_at = None if saved["read_at"] is None else _time(saved["read_at"], now)
    tracker.epoch = _number_or_none(saved["epoch"])


def _read_totals(tracker: RateTracker, saved: Mapping[str, Any], now: float) -> None:
    totals = [_number_or_none(each) for each in saved["totals"]]
    spans = [
        None if s is None else Span(_time(s[0], now), _time(s[1], now)) for s in saved["spans"]
    ]
    if len(totals) != len(FIGURES) or len(spans) != len(FIGURES):
        raise ValueError
    if any(total is not None and total < 0 for total in totals):
        raise ValueError
    tracker.totals, tracker.spans = totals, spans
    tracker.counted = {each for each in saved["counted"] if each in range(len(FIGURES))}
    tracker.out_of_sight = saved["out_of_sight"] is True


def _read_sets(tracker: RateTracker, saved: Mapping[str, Any], now: float) -> None:
    baselines = [Baseline() for _ in FIGURES]
    for figure, at, since, rows in saved["sets"][:MAX_SETS]:
        times = (_time(at, now), _time(since, now))
        held = {_key(key): Held(_number(value), *times) for key, value in rows[:MAX_SETS]}
        baselines[figure].sets.update(held)
    tracker.baselines = baselines


def _read_marks(tracker: RateTracker, saved: Mapping[str, Any], now: float) -> None:
    columns = _columns(saved)
    before: dict[Column, Counts] = {}
    marks: list[Mark] = []
    for at, totals, counts, partial in saved["marks"][:MAX_MARKS]:
        changed = {c: _counts(n, c) for c, n in zip(columns, counts, strict=True) if n is not None}
        before = {**before, **changed}
        numbers = tuple(_number_or_none(each) for each in totals)
        if len(numbers) != len(FIGURES) or (marks and at <= marks[-1].at):
            raise ValueError
        marks.append(Mark(_time(at, now), numbers, before, partial is True))
    tracker.marks = marks
    tracker.histograms = HistogramBaselines(tracker.histograms.sets, before)


def _read_histograms(tracker: RateTracker, saved: Mapping[str, Any], now: float) -> None:
    columns, sets = _columns(saved), {}
    for place, key, at, counts in saved["histograms"][:MAX_SETS]:
        name, bounds = column = columns[place]
        held = HeldHistogram(bounds, _counts(counts, column), _time(at, now))
        sets[name, _key(key)] = held
    tracker.histograms = HistogramBaselines(sets, tracker.histograms.gained)


def _read_slots(tracker: RateTracker, saved: Mapping[str, Any], _: float) -> None:
    prompt, generated = saved["slot_tokens"]
    pairs = [Slot(_progress(*last), _progress(*high)) for last, high in saved["slots"][:MAX_SLOTS]]
    slots = {slot.last.task.rpartition("/")[0]: slot for slot in pairs}
    tracker.slots = SlotTokens(slots, Tokens(_number(prompt), _number(generated)))


def _read_replicas(tracker: RateTracker, saved: Mapping[str, Any], now: float) -> None:
    part, replicas = saved["replicas"], Replicas()
    replicas.epochs = tuple(_number(each) for each in part["epochs"][:MAX_EPOCHS])
    replicas.fallen = _values(part["fallen"])
    replicas.last = _values(part["last"])
    replicas.sums = tuple((_time(at, now), _number(total)) for at, total in part["sums"][:MAX_SUMS])
    replicas.fastest = _number(part["fastest"])
    replicas.fell_at, replicas.last_at = _time(part["fell_at"], now), _time(part["last_at"], now)
    until = _number_or_none(part["until"])
    replicas.until = until if until is not None and until <= now + SHOWN_S else None
    tracker.replicas = replicas


Reader = Callable[[RateTracker, Mapping[str, Any], float], None]
_READERS: tuple[Reader, ...] = (
    _read_times,
    _read_totals,
    _read_sets,
    _read_marks,
    _read_histograms,
    _read_slots,
    _read_replicas,
)


def _columns(saved: Mapping[str, Any]) -> list[Column]:
    columns = []
    for name, bounds in saved["columns"][:MAX_COLUMNS]:
        if name not in Histograms._fields or len(bounds) > MAX_BOUNDS:
            raise ValueError
        columns.append((name, tuple(inf if b is None else _number(b) for b in bounds)))
    return columns


def _counts(counts: Any, column: Column) -> Counts:
    if len(counts) != len(column[1]):
        raise ValueError
    return tuple(_number(each) for each in counts)


def _values(part: Any) -> dict[str, float]:
    rows = list(part.items())[:MAX_WATCHED]
    return {name: _number(value) for name, value in rows if name.partition("/")[0].isdecimal()}


def _progress(task: Any, generated: Any, prompt: Any) -> SlotProgress:
    return SlotProgress(_key(task), int(_number(generated)), int(_number(prompt)))


def _key(value: Any) -> str:
    if not isinstance(value, str) or len(value) > KEY_CHARS:
        raise TypeError
    return value


def _time(value: Any, now: float) -> float:
    at = _number(value)
    if at > now:
        raise ValueError
    return at


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise TypeError
    return value
