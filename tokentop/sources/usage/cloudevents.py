"""CloudEvents 1.0 in JSON, as OpenMeter takes them; `data` has plain names or one kind of token."""

from collections.abc import Mapping

from tokentop.domain.ledger.event import UsageEvent
from tokentop.light_typing import Any
from tokentop.sources.json_fields import TEXT_CHARS, Fields
from tokentop.sources.usage import plain
from tokentop.sources.usage.attribution import Names, claimed
from tokentop.sources.usage.fields import Unreadable, counted

# What OpenMeter's own meters call the two directions.
_DIRECTIONS = {
    "input": "prompt_tokens", "prompt": "prompt_tokens",
    "output": "generated_tokens", "completion": "generated_tokens",
}  # fmt: skip


def event(row: object, names: Names, now_us: int) -> UsageEvent:
    """The usage event of one CloudEvent; raises Unreadable.

    `source` and `id` together identify it. One without a time happened now, as OpenMeter says. The
    subject is the user where `data` names none.
    """
    if not isinstance(row, dict):
        raise Unreadable("it is no object")
    envelope = Fields(row)
    number, source = envelope.text("id"), envelope.text("source")
    if envelope.text("specversion") != "1.0" or number is None or source is None:
        raise Unreadable("it is no CloudEvent 1.0 with id and source")
    if any(len(str(row[name])) > TEXT_CHARS for name in ("id", "source")):
        raise Unreadable(f"its id or source has more than {TEXT_CHARS} characters")
    data = _lowered(row.get("data"))
    time = row.get("time")
    found = plain.event({**_directed(data), "time": now_us if time is None else time}, "")
    who = claimed(Fields(data), names)
    who["user"] = who["user"] or envelope.text("subject")
    return found._replace(
        identity=f"cloudevent:{source}:{number}", feed="cloudevents", request=number, **who
    )


def _lowered(data: object) -> Mapping[str, object]:
    if not isinstance(data, dict):
        raise Unreadable("its data is no object")
    return {str(name).lower(): value for name, value in data.items()}


def _directed(data: Mapping[str, object]) -> Mapping[str, object]:
    """`{"type": "input", "tokens": 25}` as prompt tokens; the other direction is in an event of its
    own, so this one has none."""
    column = _DIRECTIONS.get(str(data.get("type")))
    if column is None or "tokens" not in data:
        return data
    tokens: Any = dict.fromkeys(_DIRECTIONS.values(), 0)
    tokens[column] = counted(Fields(data), str(data["type"]), "tokens")
    return {**data, **tokens}
