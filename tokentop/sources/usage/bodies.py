"""What a request's body holds: the events that can be booked, and why others cannot."""

import json
from collections.abc import Callable, Iterable

from tokentop.domain.ledger.event import UsageEvent, problem
from tokentop.light_typing import TypeVar
from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import BadData, load
from tokentop.sources.usage import cloudevents, litellm
from tokentop.sources.usage.allowance import RECORDS, TooLarge, at_most, check_json
from tokentop.sources.usage.attribution import Names
from tokentop.sources.usage.fields import Unreadable

T = TypeVar("T")

AT_ONCE = 2 * 1024 * 1024  # characters: 20 ms, a hundred of LiteLLM's events


class Read(NamedTuple):
    """`reason` is that of the first of the `refused` records, as the end of a sentence."""

    events: tuple[UsageEvent, ...] = ()
    refused: int = 0
    reason: str | None = None


def each(rows: Iterable[T], event: Callable[[T], UsageEvent | None], now_us: int) -> Read:
    """Every row that is usage; `event` returns None for what is none. Raises TooLarge."""
    events: list[UsageEvent] = []
    refused: list[str] = []
    for row in at_most(rows):
        try:
            found = event(row)
            reason = None if found is None else problem(found, now_us)
        except Unreadable as unreadable:
            found, reason = None, str(unreadable)
        if reason is not None:
            refused.append(reason)
        elif found is not None:
            events.append(found)
    return Read(tuple(events), len(refused), refused[0] if refused else None)


def document(body: bytes) -> object:
    """The JSON in a body; raises Unreadable."""
    check_json(body)
    try:
        return load(body, AT_ONCE)
    except BadData as error:
        raise Unreadable(str(error).replace("the answer", "the body")) from None


def litellm_rows(body: bytes, names: Names, now_us: int) -> Read:
    """LiteLLM's generic API callback: a list of events, one event, or one a line.

    It calls lines `application/json` too, so that the body itself decides. Raises Unreadable.
    """
    try:
        found = document(body)
    except TooLarge:
        raise
    except Unreadable:
        found = _lines(body)
    rows = found if isinstance(found, list) else [found]

    def event(row: object) -> UsageEvent | None:
        if not isinstance(row, dict) or not litellm.is_one(row):
            raise Unreadable("it is no event of LiteLLM's")
        return None if litellm.is_turned_away(row) else litellm.event(row, "", names)

    return each(rows, event, now_us)


def _lines(body: bytes) -> list[object]:
    if body.count(b"\n") + body.count(b"\r") > RECORDS:
        raise TooLarge
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) < 2:
        raise Unreadable("the body is not valid JSON")
    try:
        return [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        raise Unreadable("the body is neither JSON nor JSON lines") from None


def cloud_events(body: bytes, names: Names, now_us: int) -> Read:
    """One CloudEvent or a batch of them, as the body shows; raises Unreadable."""
    found = document(body)
    rows = found if isinstance(found, list) else [found]
    return each(rows, lambda row: cloudevents.event(row, names, now_us), now_us)
