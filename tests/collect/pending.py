"""The polls that a caller of the registry would start now."""

from tokentop.collect.engine import PendingPoll
from tokentop.collect.engines import EngineRegistry


def pending(registry: EngineRegistry, now: float) -> list[PendingPoll]:
    """One of each engine, without those that are backing off."""
    polls = (registry.poll(identity, now) for identity in registry.ids())
    return [due for due in polls if due is not None]
