"""What `--check` and the one line make of the verdict: an exit code, and the alarm in words."""

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import fit
from tokentop.domain.verdict.values import HealthState, Mode

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


def exit_code(snapshot: Snapshot) -> int:
    """0 ok, 1 pressure, degraded or starting, 2 saturated or down, 3 unknown."""
    health = _HEALTH[snapshot.health.state]
    return health if health == UNKNOWN else max(health, _MODES[snapshot.demand.mode])


def alarm(snapshot: Snapshot) -> str:
    """`DOWN Qwen3-32B`, `FULL Qwen3-32B 64/64 +41`, `STARTING Qwen3-32B`; empty without one."""
    down = [pool.model for pool in snapshot.demand.pools if pool.health == "down"]
    if down:
        return f"DOWN {_named(down)}"
    full = next((pool for pool in snapshot.demand.pools if pool.tier == "saturated"), None)
    if snapshot.demand.tier == "saturated" and full is not None:
        return _full(full.model, full.active, full.max_slots, full.queued)
    if snapshot.health.state == "starting":
        starting = [p.model for p in snapshot.demand.pools if p.health == "starting"]
        return f"STARTING {_named(starting)}"
    return "DEGRADED" if snapshot.health.state == "degraded" else ""


def _named(models: list[str]) -> str:
    """The first model, and how many more."""
    more = f" +{len(models) - 1}" if len(models) > 1 else ""
    return fit(models[0], NAME_CELLS).rstrip() + more


def _full(model: str, active: int | None, slots: int | None, queued: int | None) -> str:
    words = ["FULL"] if model == "stack" else ["FULL", fit(model, NAME_CELLS).rstrip()]
    if active is not None and slots is not None:
        words.append(f"{active}/{slots}")
    if queued:
        words.append(f"+{queued}")
    return " ".join(words)
