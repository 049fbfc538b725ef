"""The headline's words: health before demand, prices only where some are configured."""

from typing import NamedTuple

from tokentop.domain.verdict.values import NO_DATA, Health, Mode, Pool, Tier

NO_ENGINE = "No engine is serving here"
FREE = "Alpha — Everything is Free"
STACK_BANNERS: dict[Mode, str] = {
    "normal": "Normal — capacity available",
    "pressure": "High Demand — Costs Are Elevated",
    "saturated": "Compute is Full",
}
# The stack's own words for its tiers, as published.
STACK_MESSAGES: dict[Tier, str] = {
    "idle": "System idle",
    "low": "Low demand",
    "moderate": "Moderate demand",
    "high": "High demand — costs rising",
    "surge": "Surge — near capacity",
    "saturated": "FULL — capacity limit reached",
}


class Words(NamedTuple):
    """What the words depend on beside health and demand.

    `stack` is true where the seven services are configured or answer, `waiting` before the first
    answer of any source; `reporters` are the services that report back-pressure.
    """

    stack: bool = False
    free_of_charge: bool = True
    waiting: bool = False
    reporters: tuple[str, ...] = ()
    no_engine: str = NO_ENGINE


def message(tier: Tier | None, pool: Pool | None, words: Words, *, named: bool) -> str:
    """The tier in a sentence: the stack's own, or how much room the fullest pool has.

    `named`: there are several pools, so the sentence says whose room it is.
    """
    if pool is None or (tier is None and pool.model == "stack"):
        return NO_DATA if words.waiting or words.stack else NO_ENGINE
    if pool.model == "stack" and tier is not None:
        return STACK_MESSAGES[tier]
    said = _room(tier, pool)
    return said if not named or pool.model in said else f"{pool.model}: {said[0].lower()}{said[1:]}"


def headline(health: Health, mode: Mode | None, pool: Pool | None, said: str, words: Words) -> str:
    """One sentence in one voice: what is down or starting, else how full it is."""
    silent = health.state == "degraded" and mode is None
    if (health.state in ("down", "starting") or silent) and health.reasons:
        return health.reasons[0].text
    if pool is None or mode is None or pool.model != "stack":
        return said
    if mode == "pressure" and words.reporters:
        return f"Back-pressure reported by {', '.join(words.reporters)}"
    if mode == "normal" and words.free_of_charge:
        return FREE
    if mode == "normal" and pool.free == 0:
        return "Normal — no slot is free"
    return STACK_BANNERS[mode]


def _room(tier: Tier | None, pool: Pool) -> str:
    """`Room for 51 more requests`, `Busy`, `Nearly full`, `Full: 41 requests wait for Qwen3`."""
    if tier == "saturated":
        return _full(pool)
    if tier == "surge":
        return "Nearly full"
    if tier == "high":
        return "Busy"
    if pool.free:
        return f"Room for {pool.free} more request{'s' * (pool.free != 1)}"
    if pool.free == 0:
        return "Busy: no slot is free"
    if tier is not None:
        return "Room for more requests"
    if pool.active:
        running = f"{pool.active} request{'s' * (pool.active != 1)} running"
        return f"{running}; how many fit is unknown"
    return "No request is running" if pool.active == 0 else "Its load is unknown"


def _full(pool: Pool) -> str:
    if pool.queued:
        wait = f"{pool.queued} request{'s' * (pool.queued != 1)} wait{'s' * (pool.queued == 1)}"
        return f"Full: {wait} for {pool.model}"
    return f"Full: {pool.model} takes no more requests"
