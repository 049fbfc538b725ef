"""What `--check` and the one line make of the verdict: an exit code, and the alarm in words."""

from tokentop.domain.snapshot import Demand, Snapshot
from tokentop.domain.text import fit
from tokentop.domain.verdict.values import HealthState, Mode, Pool, Tier

NAME_CELLS = 32  # of a model's name: the figures have to find room as well
OK, WARNING, CRITICAL, UNKNOWN = range(4)  # as monitoring plugins end
_HEALTH: dict[HealthState, int] = {
    "ok": OK,
    "starting": WARNING,
    "degraded": WARNING,
    "down": CRITICAL,
    "unknown": UNKNOWN,
}
_MODES: dict[Mode | None, int] = {
    "normal": OK,
    "pressure": WARNING,
    "saturated": CRITICAL,
    None: OK,
}


_LOADS: dict[Tier | None, str] = {"saturated": "FULL", "surge": "SURGE"}


def exit_code(snapshot: Snapshot) -> int:
    """0 ok, 1 pressure, degraded or starting, 2 saturated or down, 3 unknown."""
    health = _HEALTH[snapshot.health.state]
    return health if health == UNKNOWN else max(health, _MODES[snapshot.demand.mode])


def alarm(snapshot: Snapshot) -> str:
    """`DOWN Qwen3-32B`, `FULL Qwen3-32B 64/64 +41`, `SURGE Qwen3-32B 60/64`; empty without one."""
    down = [pool.model for pool in snapshot.demand.pools if pool.health == "down"]
    if down:
        return f"DOWN {_named(down)}"
    load = _load(snapshot.demand)
    if load and snapshot.demand.tier == "saturated":
        return load
    if snapshot.health.state == "starting":
        starting = [p.model for p in snapshot.demand.pools if p.health == "starting"]
        return f"STARTING {_named(starting)}"
    if snapshot.health.state == "degraded":
        return "DEGRADED"
    return load


def _named(models: list[str]) -> str:
    """The first model, and how many more."""
    more = f" +{len(models) - 1}" if len(models) > 1 else ""
    return fit(models[0], NAME_CELLS).rstrip() + more


def _load(demand: Demand) -> str:
    """`FULL Qwen3-32B 64/64 +41` of the pool that is meant; empty below surge.

    More than the slots are active where some run in slots of unknown number: `71 active +41`.
    """
    word = _LOADS.get(demand.tier)
    if word is None:
        return ""
    pool = next((pool for pool in demand.pools if pool.tier == demand.tier), Pool("stack"))
    words = [word] if pool.model == "stack" else [word, fit(pool.model, NAME_CELLS).rstrip()]
    if pool.active is not None and pool.max_slots is not None:
        all_in_slots = pool.active <= pool.max_slots
        words.append(f"{pool.active}/{pool.max_slots}" if all_in_slots else f"{pool.active} active")
    if pool.queued:
        words.append(f"+{pool.queued}")
    return " ".join(words)
