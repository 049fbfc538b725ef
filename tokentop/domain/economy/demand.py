"""Pressures -> utilisation: the two formulas. Every part may be unknown and then drops out."""

from tokentop.domain.numbers import clamp01

_QUEUE_WEIGHT = 0.9  # a queue as long as the slots is surge, not yet saturated
_BUSY_WEIGHT = 0.8  # all slots busy is where surge starts
_WAITING_WEIGHT = 0.2


def vram_utilization(memory: float | None, queue: float | None) -> float | None:
    """The `vram` profile: the larger of memory pressure and 0.9 x queue pressure."""
    parts = [memory] if memory is not None else []
    if queue is not None:
        parts.append(_QUEUE_WEIGHT * queue)
    return clamp01(max(parts)) if parts else None


def serving_utilization(
    kv_cache: float | None, occupancy: float | None, queue: float | None
) -> float | None:
    """The `serving` profile: KV-cache use against busy slots plus waiting requests.

    vLLM and SGLang reserve their VRAM at start, so used/total says nothing about them.
    """
    load = None if occupancy is None else _BUSY_WEIGHT * occupancy
    if queue is not None:
        load = (load or 0.0) + _WAITING_WEIGHT * min(1.0, queue)
    parts = [part for part in (kv_cache, load) if part is not None]
    # 0.8 + 0.2 * 0.75 must not end up above 0.95 for a bit of rounding
    return clamp01(round(max(parts), 12)) if parts else None
