"""One row of a usage file, whatever wrote it, as an event.

Prompts, answers, error texts and unknown columns are never taken over.
"""

from tokentop.domain.ledger.event import UsageEvent
from tokentop.sources.usage import litellm, plain
from tokentop.sources.usage.fields import Unreadable

__all__ = ["Unreadable", "event"]


def event(row: object, fallback: str) -> UsageEvent:
    """The event of one row; raises Unreadable. `fallback` identifies a row without an id."""
    if not isinstance(row, dict):
        raise Unreadable("it is no object")
    read = litellm.event if litellm.is_one(row) else plain.event
    return read(row, fallback)
