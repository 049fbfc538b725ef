"""How many requests an engine can run at once, and where that number came from."""

from tokentop.domain.engines.readings import EngineReading, ObservedSlots, SlotsSource
from tokentop.sources.engines.protocol import Hints

KV_FULL = 0.95  # above it requests may wait for cache instead of slots
MIN_SIGHTINGS = 3  # of waiting requests, before the bound is shown


def observed(before: ObservedSlots, reading: EngineReading) -> ObservedSlots:
    """The evidence after one more reading; it begins anew when the server restarts.

    Waiting alone does not prove that the slots are full, the KV cache can be; so readings with a
    full cache don't count, one reading never decides, and 0 is no bound.
    """
    epoch = before.epoch if reading.epoch is None else reading.epoch
    if before.epoch is not None and epoch != before.epoch:
        before = ObservedSlots()
    if not reading.active or not reading.queued or (reading.kv_cache or 0.0) >= KV_FULL:
        return before._replace(epoch=epoch)
    return ObservedSlots(max(before.most, reading.active), before.sightings + 1, epoch)


def lower_bound(evidence: ObservedSlots) -> int | None:
    """The most requests seen running while others waited; None where that was seen too seldom."""
    return evidence.most if evidence.sightings >= MIN_SIGHTINGS else None


def with_slots(reading: EngineReading, hints: Hints, evidence: ObservedSlots) -> EngineReading:
    """The reading with its slots by the best source, and with the evidence of this one."""
    slots, source = best_slots(reading.max_slots, hints, lower_bound(evidence))
    return reading._replace(max_slots=slots, slots_source=source, observed=evidence)


def best_slots(
    reported: int | None, hints: Hints, derived: int | None
) -> tuple[int | None, SlotsSource | None]:
    """The capacity by its best source: the server, its command line, the user, else derived."""
    candidates: tuple[tuple[int | None, SlotsSource], ...] = (
        (reported, "reported"),
        (hints.argv_slots, "argv"),
        (hints.configured_slots, "configured"),
        (derived, "derived"),
    )
    return next(((slots, source) for slots, source in candidates if slots), (None, None))
