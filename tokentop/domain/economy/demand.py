"""Pressures -> utilisation -> tier, mode, message.

Every part may be unknown (None) and then drops out; where nothing is known the result is unknown,
never idle.
"""

from typing import Literal

from tokentop.domain.policy import Policy, TierPolicy
from tokentop.domain.readings import PressureReading
from tokentop.domain.snapshot import Demand, Mode, Pricing, Tier
from tokentop.domain.text import known

TIERS: tuple[Tier, ...] = ("idle", "low", "moderate", "high", "surge", "saturated")

NO_DATA = "No data yet"
MESSAGES: dict[Tier, str] = {
    "idle": "System idle",
    "low": "Low demand",
    "moderate": "Moderate demand",
    "high": "High demand — costs rising",
    "surge": "Surge — near capacity",
    "saturated": "FULL — capacity limit reached",
}

FREE_BANNER = "Alpha — Everything is Free"
BANNERS: dict[Mode, str] = {
    "normal": "Normal — capacity available",
    "pressure": "High Demand — Costs Are Elevated",
    "saturated": "Compute is Full",
}

_QUEUE_WEIGHT = 0.9  # a queue as long as the slots is surge, not yet saturated
_BUSY_WEIGHT = 0.8  # all slots busy is where surge starts
_WAITING_WEIGHT = 0.2


def clamp01(value: float) -> float:
    return min(1.0, max(0.0, value))


def ratio(part: float | None, whole: float | None) -> float | None:
    """part / whole, not below 0; unknown where either is unknown or the whole is 0."""
    if not known(part) or not known(whole) or whole <= 0:
        return None
    share = max(0.0, part / whole)
    return share if known(share) else None


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


def tier_of(
    utilization: float | None, back_pressure: bool | None, tiers: TierPolicy
) -> Tier | None:
    """The tier a utilisation belongs to; a boundary belongs to the tier that starts there."""
    if back_pressure:
        return "saturated"
    if not known(utilization):
        return None
    if utilization > tiers.saturated:
        return "saturated"
    starts = (tiers.low, tiers.moderate, tiers.high, tiers.surge)
    return TIERS[sum(utilization >= start for start in starts)]


def mode_of(
    utilization: float | None,
    back_pressure: bool | None,
    queued: int | None,
    max_slots: int | None,
    tiers: TierPolicy,
) -> Mode | None:
    """The banner's mode; None where nothing is known."""
    queue_is_full = queued is not None and max_slots is not None and queued >= max_slots > 0
    if queue_is_full or (known(utilization) and utilization > tiers.saturated):
        return "saturated"
    if back_pressure or (known(utilization) and utilization > tiers.surge):
        return "pressure"
    return "normal" if known(utilization) else None


def demand(
    policy: Policy,
    *,
    vram_used_bytes: float | None = None,
    vram_total_bytes: float | None = None,
    active: int | None = None,
    queued: int | None = None,
    max_slots: int | None = None,
    kv_cache: float | None = None,
    back_pressure: bool | None = None,
    engines: bool = False,
    acta: PressureReading | None = None,
    stale: bool = False,
) -> Demand:
    """How full the stack is: ACTA's pressure where ACTA gives one, else the local formula.

    `engines` tells whether any engine is read directly (profile `auto` is then `serving`).
    """
    profile = _profile(policy, engines)
    queue = ratio(queued, max_slots)
    if profile == "serving":
        memory = kv_cache if known(kv_cache) else None
        utilization = serving_utilization(memory, ratio(active, max_slots), queue)
    else:
        memory = ratio(vram_used_bytes, vram_total_bytes)
        utilization = vram_utilization(memory, queue)
    pressure = acta.pressure if acta else None
    if known(pressure):
        utilization = clamp01(pressure)
    limited = _any_true(back_pressure, acta.back_pressure if acta else None)
    tier = tier_of(utilization, limited, policy.tiers)
    return Demand(
        memory_pressure=memory,
        queue_pressure=queue,
        utilization=utilization,
        tier=tier,
        message=MESSAGES[tier] if tier else NO_DATA,
        mode=mode_of(utilization, limited, queued, max_slots, policy.tiers),
        back_pressure=limited,
        source="acta" if known(pressure) else "local",
        profile=profile,
        stale=stale,
    )


def _profile(policy: Policy, engines: bool) -> Literal["vram", "serving"]:
    if policy.profile == "auto":
        return "serving" if engines else "vram"
    return policy.profile


def _any_true(*said: bool | None) -> bool | None:
    """True where any source says so, None where none said anything."""
    answers = [answer for answer in said if answer is not None]
    return any(answers) if answers else None


def banner(demand: Demand, pricing: Pricing, stack_present: bool) -> str:
    """The banner's words; `stack_present`: the seven services are configured or answering."""
    if demand.mode is None:
        return demand.message
    if demand.mode == "normal" and pricing.everything_free and stack_present:
        return FREE_BANNER
    return BANNERS[demand.mode]
