"""The headline's words, the same for a stack and for engines: health before demand."""

from tokentop.domain.text import approx
from tokentop.domain.verdict.values import NO_DATA, Health, Mode, Pool, Tier
from tokentop.named_tuple import NamedTuple

NO_ENGINE = "No engine is serving here"


class Words(NamedTuple):
    """What the words depend on beside health and demand.

    `stack` is true where the seven services are configured or answer, `waiting` before the first
    answer of any source; `reporters` are the services that report back-pressure.
    """

    stack: bool = False
    waiting: bool = False
    reporters: tuple[str, ...] = ()
    no_engine: str = NO_ENGINE


def message(tier: Tier | None, pool: Pool | None, words: Words, *, named: bool) -> str:
    """The tier in a sentence: how much room the fullest pool has.

    `named`: there are several pools, so the sentence says whose room it is.
    """
    if pool is None or (tier is None and pool.model == "stack"):
        return NO_DATA if words.waiting or words.stack else NO_ENGINE
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
    return said


def slots_in_words(count: int, estimated: bool) -> str:
    """`8 slots`, `1 slot`, `≈8 slots`."""
    return approx(f"{count} slot{'s' * (count != 1)}", estimated)


def all_busy(model: str, count: int, estimated: bool) -> str:
    """`all 8 slots of Qwen3-32B are busy`; of the stack it is not said whose."""
    whose = "" if model == "stack" else f" of {model}"
    if count == 1 and not estimated:
        return f"the only slot{whose} is busy"
    return f"all {slots_in_words(count, estimated)}{whose} are busy"


def _room(tier: Tier | None, pool: Pool) -> str:
    """`Room for 51 more requests`, `Busy: 2 requests wait`, `Full: 41 requests wait for Qwen3`.

    Of the stack it is not said whose room it is: it has one queue.
    """
    if tier == "saturated":
        return _full(pool)
    free = approx(str(pool.free), pool.slots_estimated)
    room = f"room for {free} more request{'s' * (pool.free != 1)}" if pool.free else ""
    if tier in ("high", "surge"):
        if pool.queued:
            return f"Busy: {_waiting(pool)}"
        word = "Busy" if tier == "high" else "Nearly full"
        if pool.free == 0 and pool.max_slots:
            return f"{word}: {all_busy(pool.model, pool.max_slots, pool.slots_estimated)}"
        return f"{word}, {room}" if room else word
    if room:
        return room.capitalize()
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
        return f"Full: {_waiting(pool)}"
    if pool.model == "stack":
        return "Full: there is no room for more"
    return f"Full: {pool.model} takes no more requests"


def _waiting(pool: Pool) -> str:
    wait = f"{pool.queued} request{'s' * (pool.queued != 1)} wait{'s' * (pool.queued == 1)}"
    return wait if pool.model == "stack" else f"{wait} for {pool.model}"
