"""What `--check` and the one line make of the verdict: an exit code, and the alarm in words."""

from tokentop.domain.policy import BUDGET_SHORT_S
from tokentop.domain.snapshot import Demand, Snapshot
from tokentop.domain.spending import tightest, zero_in_s
from tokentop.domain.text import approx, fit, fmt_countdown
from tokentop.domain.verdict.values import HealthState, Mode, Pool, Tier
from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.domain.snapshot_ledger import LedgerFigures

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
    """0 ok, 1 pressure, degraded, starting or a short budget, 2 saturated or down, 3 unknown."""
    health = _HEALTH[snapshot.health.state]
    if health == UNKNOWN:
        return UNKNOWN
    budget = WARNING if _budget(snapshot.ledger) else OK
    return max(health, _MODES[snapshot.demand.mode], budget)


def alarm(snapshot: Snapshot) -> str:
    """`DOWN Qwen3-32B`, `FULL Qwen3-32B 64/64 +41`, `BUDGET agents 24:30`; empty without one."""
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
    return _budget(snapshot.ledger) or load


def _budget(ledger: "LedgerFigures | None") -> str:
    """The tightest budget, where it lasts less than an hour; empty where none does."""
    found = tightest(ledger)
    left = None if found is None else zero_in_s(found)
    if found is None or left is None or left >= BUDGET_SHORT_S:
        return ""
    return f"BUDGET {fit(found.who, NAME_CELLS).rstrip()} {fmt_countdown(left)}"


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
        slots = approx(str(pool.max_slots), pool.slots_estimated)
        words.append(f"{pool.active}/{slots}" if all_in_slots else f"{pool.active} active")
    if pool.queued:
        words.append(f"+{pool.queued}")
    return " ".join(words)
