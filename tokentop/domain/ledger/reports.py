"""Several reports of one request, by gateway, engine and client: found, and made one event.

A report is another one of a request that was booked where they share

- the identity, like LiteLLM's call id in its callback and in its spans;
- the response's id, or the trace within a minute, or the session: with the same token counts, or at
  the same time where one of the two is an estimate;
- model, token counts and time, where a client's report encloses the gateway's.

A request takes one report of each feed, so that equal requests stay as many as they were. Of two
reports the better one has the figures: one that is exact before an estimate, then the gateway's,
the engine's, the client's. Attribution that the gateway authenticated stays; what is missing is
filled in from the other.
"""

from collections.abc import Collection, Iterator, Mapping

from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import MINUTE_US, UsageEvent
from tokentop.light_typing import Any

SUMS = "-sums"  # ends the name of feeds that report a session's sums, not its requests
_GATEWAYS = ("litellm-otel", "litellm")  # the better one last
_ENGINES = ("vllm", "sglang")
_CLIENTS = ("genai", "claude-code", "codex", "gemini-cli")
_SIDES = {
    **dict.fromkeys(_GATEWAYS, "gateway"),
    **dict.fromkeys(_ENGINES, "engine"),
    **dict.fromkeys(_CLIENTS, "client"),
}
MATCHED = frozenset(_SIDES)
GUESSED = ("session", "counts")  # kinds of keys by which alike requests are told apart in order
_SLACK_US = 1_000_000  # between two clocks of one machine room
_WHO = ("user", "project", "team")
# What a correction is booked for. Durations and addresses alone are not worth two more entries.
_DECISIVE = ("outcome", "estimated", "model", "session", "task", "prompt", "cached", "generated",
             "reasoning", "micro_usd", *_WHO)  # fmt: skip
_FIELDS = tuple(name for name in UsageEvent._fields if name in Entry._fields)


def keys(event: UsageEvent) -> tuple[str, ...]:
    """By what other reports of this one's request are found; its identity first."""
    side = _SIDES.get(event.feed)
    return tuple(_keys(event, () if side is None else (side,), (0,)))


def probes(event: UsageEvent) -> tuple[str, ...]:
    """The keys of reports that may be of the same request: those of others than its own kind.

    So a gateway's thousand equal requests are not held against each other.
    """
    own = _SIDES.get(event.feed)
    others = () if own is None else tuple({*_SIDES.values()} - {own})
    return tuple(_keys(event, others, (-1, 0, 1)))


def _keys(event: UsageEvent, sides: tuple[str, ...], minutes: tuple[int, ...]) -> Iterator[str]:
    yield f"identity {event.identity}"
    counts = f"{event.prompt} {event.generated}"
    exact = bool(event.prompt and event.generated) and not event.estimated
    times = [event.at_us // MINUTE_US + each for each in minutes]
    for side in sides:
        if event.request is not None:
            yield f"request {side} {event.request}"
        if event.trace is not None:
            yield from (f"trace {side} {minute} {event.trace}" for minute in times)
        if exact and event.session is not None:
            yield f"session {side} {counts} {event.session}"
        if exact and event.model is not None:
            yield from (f"counts {side} {minute} {counts} {event.model}" for minute in times)


def have_met(feeds: Collection[str]) -> bool:
    """Whether a client's and a gateway's report are among those of a request."""
    return {"client", "gateway"} <= {_SIDES.get(feed) for feed in feeds}


def session_key(event: UsageEvent) -> str | None:
    """By which a session's sums are found from its requests, and the other way; or None."""
    if event.session is None or event.feed.removesuffix(SUMS) not in MATCHED:
        return None
    return f"sums {event.session} {event.model}"


def is_same(key: str, booked: UsageEvent, report: UsageEvent) -> bool:
    """Whether two reports that share `key` are of one request."""
    kind = key.partition(" ")[0]
    if kind == "identity":
        return True
    if booked.model and report.model and booked.model != report.model and kind != "request":
        return False
    if kind == "counts":
        return _encloses(booked, report) or _encloses(report, booked)
    if booked.outcome == "cache-hit" or report.outcome == "cache-hit":
        return kind == "request"
    if booked.estimated or report.estimated or _is_cut(booked) or _is_cut(report):
        return _overlap(booked, report)
    return all(
        getattr(booked, name) in (None, getattr(report, name)) or getattr(report, name) is None
        for name in ("prompt", "generated")
    )


def _is_cut(event: UsageEvent) -> bool:
    """Whether an engine counted what it had generated when the client hung up."""
    return event.feed in _ENGINES and event.outcome == "aborted"


def _end(event: UsageEvent) -> int:
    return event.at_us + (event.duration_ms or 0) * 1000


def _encloses(client: UsageEvent, gateway: UsageEvent) -> bool:
    """A client waits for the gateway from before its start until after its end."""
    return (
        client.feed in _CLIENTS
        and gateway.feed in _GATEWAYS
        and client.at_us <= gateway.at_us + _SLACK_US
        and _end(gateway) <= _end(client) + _SLACK_US
    )


def _overlap(one: UsageEvent, other: UsageEvent) -> bool:
    return one.at_us <= _end(other) + _SLACK_US and other.at_us <= _end(one) + _SLACK_US


def merged(booked: UsageEvent, report: UsageEvent) -> UsageEvent:
    """What is known of a request by both; `booked` itself where the report adds nothing."""
    better, other = (report, booked) if _outranks(report, booked) else (booked, report)
    values: dict[str, Any] = {
        name: getattr(other, name) for name in _FIELDS if getattr(better, name) is None
    }
    for name in _WHO:
        if name in other.authenticated and name not in better.authenticated:
            values[name] = getattr(other, name)
    checked = dict.fromkeys((*better.authenticated, *other.authenticated))
    values["authenticated"] = tuple(checked)
    found = better._replace(**values, identity=booked.identity)
    same = all(getattr(found, name) == getattr(booked, name) for name in _DECISIVE)
    return booked if same and found.authenticated == booked.authenticated else found


def _outranks(one: UsageEvent, other: UsageEvent) -> bool:
    """LiteLLM's spans do not show that a client hung up: its callback knows better, estimated."""
    if one.feed.endswith(SUMS):  # of the same series, which goes on
        return _total(one) > _total(other)
    if {one.feed, other.feed} <= set(_GATEWAYS):
        return (_rank(one), not one.estimated) > (_rank(other), not other.estimated)
    return _quality(one) > _quality(other)


def _quality(event: UsageEvent) -> tuple[bool, bool, int]:
    """A gateway guesses what an engine has counted, where a client hung up."""
    return _is_cut(event), not event.estimated, _rank(event)


def _rank(event: UsageEvent) -> int:
    return (*_CLIENTS, *_ENGINES, *_GATEWAYS).index(event.feed) if event.feed in MATCHED else -1


def _total(event: UsageEvent) -> int:
    return (event.prompt or 0) + (event.generated or 0)


def as_event(entry: Entry, names: Mapping[str, str]) -> UsageEvent:
    """The event of an entry; `names` has those of people by id, without those that were erased."""
    values: dict[str, Any] = {name: getattr(entry, name) for name in _FIELDS}
    values["estimated"] = bool(entry.estimated)
    values["authenticated"] = tuple(filter(None, (entry.authenticated or "").split(",")))
    values["user"] = names.get(entry.user_id or "")
    values["end_user"] = names.get(entry.end_user_id or "")
    return UsageEvent(**values)
