"""Agents' token counters: a second report of what their logs have request by request.

They are read for agents whose logs are switched off, and only where they name a session: a sum over
unknown requests cannot be held against those that were booked one by one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tokentop.domain.ledger.event import UsageEvent
from tokentop.domain.ledger.reports import SUMS
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import as_count
from tokentop.sources.usage.allowance import Allowance
from tokentop.sources.usage.attribution import Names, claimed
from tokentop.sources.usage.fields import Unreadable
from tokentop.sources.usage.otlp.figures import added
from tokentop.sources.usage.otlp.records import Record, objects

_METRICS = {"claude_code.token.usage": "claude-code", "gemini_cli.token.usage": "gemini-cli"}
_DELTA = 1  # of aggregationTemporality; else the sum goes on from the start


class _Series(NamedTuple):
    """The data points of one session and model, a point for each kind of token."""

    agent: str
    session: str
    model: str | None
    start: int
    end: int | None  # None: the sum goes on, and replaces the one before it


class Point(NamedTuple):
    """One data point of a metric, with the metric's own facts."""

    record: Record
    delta: bool


def points(metrics: Iterable[Record]) -> Iterator[Point]:
    """The data points of the counters that are read; raises TooLarge."""
    allowance = Allowance()  # each point repeats what its metric and its resource have
    for metric in metrics:
        total = metric.item.get("sum")
        if metric.name not in _METRICS or not isinstance(total, dict):
            continue
        delta = total.get("aggregationTemporality") in (_DELTA, "AGGREGATION_TEMPORALITY_DELTA")
        for item in objects(total, "dataPoints"):
            allowance.take(len(metric.values))
            yield Point(metric.within(item), delta)


def check(point: Point) -> None:
    """Raise Unreadable where a data point lacks what it needs."""
    _series(point), _amount(point.record)


def events(found: Iterable[Point], names: Names) -> Iterator[UsageEvent]:
    """An event for each session and model of points that were checked."""
    amounts: dict[_Series, dict[str, int]] = defaultdict(dict)
    whose: dict[_Series, Mapping[str, Any]] = {}
    for point in found:
        series = _series(point)
        kind = point.record.attributes.text("type") or ""
        amounts[series][kind] = amounts[series].get(kind, 0) + _amount(point.record)
        whose[series] = claimed(point.record.attributes, names)
    return (_event(series, amounts[series], whose[series]) for series in amounts)


def _series(point: Point) -> _Series:
    record = point.record
    session = record.attributes.text("session.id")
    start, end = record.at_us("startTimeUnixNano"), record.at_us("timeUnixNano")
    if session is None or start is None or end is None:
        raise Unreadable("the data point has no session or no time")
    model = record.attributes.text("model")
    return _Series(_METRICS[record.name], session, model, start, end if point.delta else None)


def _amount(record: Record) -> int:
    value = record.item.get("asInt", record.item.get("asDouble"))
    found = as_count(value)
    if found is None:
        raise Unreadable("the data point is no count")
    return found


def _event(series: _Series, kinds: Mapping[str, int], who: Mapping[str, Any]) -> UsageEvent:
    """As the agents' logs have them: figures.py."""
    cached = kinds.get("cacheRead", kinds.get("cache"))
    prompt, generated = kinds.get("input"), kinds.get("output")
    if series.agent == "claude-code":
        prompt = added(prompt or 0, cached, kinds.get("cacheCreation"))
    reasoning = kinds.get("thought")
    place = f"{series.session}:{series.model}:{series.start}:{series.end or ''}"
    return UsageEvent(
        identity=f"{series.agent}{SUMS}:{place}",
        at_us=series.start,
        feed=series.agent + SUMS,
        model=series.model,
        prompt=prompt,
        cached=cached,
        generated=added(generated or 0, reasoning),
        reasoning=reasoning,
        **who,
    )
