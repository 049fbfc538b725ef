"""Utilisation -> tier -> mode, and the tier held for a while before it comes down."""

from tokentop.domain.policy import TierPolicy
from tokentop.domain.text import known
from tokentop.domain.verdict.values import Mode, Tier
from tokentop.named_tuple import NamedTuple

TIERS: tuple[Tier, ...] = ("idle", "low", "moderate", "high", "surge", "saturated")
HYSTERESIS = 0.02
_EARLY = 0.9  # of an interval: polls are never exactly as far apart as asked


class HeldTier(NamedTuple):
    """A pool's tier as shown, and the monotonic second since when a lower one would do."""

    tier: Tier
    lower_since: float | None = None


def restored(saved: object, now: float) -> dict[str, HeldTier]:
    """The held tiers that an earlier call left as JSON; whatever does not fit is left out."""
    rows = saved.items() if isinstance(saved, dict) else ()
    return {pool: one for pool, row in rows if (one := _held_tier(row, now)) is not None}


def _held_tier(row: object, now: float) -> HeldTier | None:
    if not isinstance(row, list) or len(row) != 2 or row[0] not in TIERS:
        return None
    since = row[1] if isinstance(row[1], int | float) and row[1] <= now else None
    return HeldTier(row[0], since)


def tier_word(tier: Tier) -> str:
    """The tier as people read it: `saturated` is `full`."""
    return "full" if tier == "saturated" else tier


def tier_at(utilization: float | None, tiers: TierPolicy) -> Tier | None:
    """The tier that a utilisation belongs to; a boundary belongs to the tier that starts there."""
    if not known(utilization):
        return None
    if utilization > tiers.saturated:
        return "saturated"
    starts = (tiers.low, tiers.moderate, tiers.high, tiers.surge)
    return TIERS[sum(utilization >= start for start in starts)]


def at_least(tier: Tier | None, floor: Tier) -> Tier:
    """The higher of two tiers."""
    return floor if tier is None or TIERS.index(tier) < TIERS.index(floor) else tier


def lifted(tier: Tier | None) -> Tier | None:
    """One step higher, but never to saturated: that means that requests wait or are refused."""
    if tier is None or tier in ("surge", "saturated"):
        return tier
    return TIERS[TIERS.index(tier) + 1]


def mode_of(tier: Tier | None) -> Mode | None:
    """Idle to high are normal, surge is pressure; None where the tier is."""
    if tier is None:
        return None
    return tier if tier == "saturated" else "pressure" if tier == "surge" else "normal"


def held(
    tier: Tier | None,
    nearly: Tier | None,
    before: HeldTier | None,
    now: float,
    interval_s: float,
) -> HeldTier | None:
    """The tier to show: up at once, down once a lower one has lasted for two polls.

    `nearly` is the tier of a utilisation HYSTERESIS higher, so that a value on a boundary does
    not flicker. Without a predecessor, and where the tier is unknown, nothing is held.
    """
    if tier is None:
        return None
    if before is None or TIERS.index(tier) >= TIERS.index(before.tier):
        return HeldTier(tier)
    if TIERS.index(nearly or tier) >= TIERS.index(before.tier):
        return HeldTier(before.tier)
    since = now if before.lower_since is None else before.lower_since
    if now - since >= _EARLY * interval_s:
        return HeldTier(tier)
    return HeldTier(before.tier, since)
