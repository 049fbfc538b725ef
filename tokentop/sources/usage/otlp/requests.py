"""Whole OTLP/HTTP requests: their events, and the answers that OTLP prescribes."""

import json

from tokentop.domain.ledger.event import UsageEvent
from tokentop.light_typing import Literal, get_args
from tokentop.sources.usage import bodies
from tokentop.sources.usage.attribution import Names
from tokentop.sources.usage.bodies import Read
from tokentop.sources.usage.otlp import agents, messages, spans, sums
from tokentop.sources.usage.otlp.records import Record, export, items
from tokentop.sources.usage.otlp.wire import encoded

Signal = Literal["traces", "logs", "metrics"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)

_REJECTED = {
    "traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints",
}  # fmt: skip


def read(signal: Signal, body: bytes, names: Names, now_us: int) -> Read:
    """The events in an export; raises Unreadable where it is none."""
    return {"traces": _traces, "logs": _logs, "metrics": _metrics}[signal](body, names, now_us)


def _traces(body: bytes, names: Names, now_us: int) -> Read:
    records = items(export(body, messages.TRACES), "spans", "Spans")
    pairs: list[tuple[Record, UsageEvent]] = []

    def event(record: Record) -> UsageEvent:
        found = spans.event(record, names)
        pairs.append((record, found))
        return found

    found = bodies.each(spans.own(records), event, now_us)
    taken = {id(each) for each in found.events}
    joined = spans.joined(pair for pair in pairs if id(pair[1]) in taken)
    return found._replace(events=tuple(joined))


def _logs(body: bytes, names: Names, now_us: int) -> Read:
    records = items(export(body, messages.LOGS), "logRecords", "Logs")
    return bodies.each(records, lambda record: agents.log_event(record, names), now_us)


def _metrics(body: bytes, names: Names, now_us: int) -> Read:
    points = sums.points(items(export(body, messages.METRICS), "metrics", "Metrics"))
    good: list[sums.Point] = []

    def check(point: sums.Point) -> None:
        sums.check(point)
        good.append(point)

    refused = bodies.each(points, check, now_us)
    found = bodies.each(sums.events(good, names), lambda event: event, now_us)
    return Read(found.events, refused.refused + found.refused, refused.reason or found.reason)


def answer(signal: Signal, found: Read, as_json: bool) -> bytes:
    """Success, with the number of records that were refused and why the first of them was."""
    if as_json:
        partial = {_REJECTED[signal]: str(found.refused), "errorMessage": found.reason}
        return json.dumps({"partialSuccess": partial} if found.refused else {}).encode()
    partly = encoded(1, found.refused) + encoded(2, (found.reason or "").encode())
    return encoded(1, partly)


def status(text: str, as_json: bool) -> bytes:
    """The body of a refusal: google.rpc.Status with its message."""
    return json.dumps({"message": text}).encode() if as_json else encoded(2, text.encode())
