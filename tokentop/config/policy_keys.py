"""The keys of Config.policy: pricing, tiers, capacity, health and cost."""

from tokentop.config.key import Key
from tokentop.domain.policy import (
    CapacityPolicy,
    CostPolicy,
    DetectorPolicy,
    HealthPolicy,
    Policy,
    PricingPolicy,
    ReplenishmentPolicy,
    TierPolicy,
)

CONSTRAINTS = (  # lower key, upper key, whether they may be equal
    ("pricing.floor", "pricing.ceiling", True),
    ("tiers.low", "tiers.moderate", False),
    ("tiers.moderate", "tiers.high", False),
    ("tiers.high", "tiers.surge", False),
    ("tiers.surge", "tiers.saturated", False),
    ("capacity.scale_down_below", "capacity.scale_up_at", False),
)


def policy_keys() -> tuple[Key, ...]:
    """Every key of the policy but those of cost, in the order in which they are shown."""
    return (*_pricing(), _profile(), *_tiers(), *_capacity(), *_health())


def _number(
    name: str, default: float | None, about: str, low: float, high: float, sample: object = ""
) -> Key:
    return Key(name, "number", default, about, low, high, path=f"policy.{name}", sample=sample)


def _pricing() -> tuple[Key, ...]:
    p = PricingPolicy()
    return (
        _number("pricing.floor", p.floor, "The lowest multiplier", 0.0, 1e6),
        _number("pricing.ceiling", p.ceiling, "The highest multiplier, at least the floor",
                0.0, 1e6),
        _number("pricing.steepness", p.steepness, "How sharply it rises", 0.01, 1e3),
        _number("pricing.midpoint", p.midpoint, "Demand half way up", 0.0, 1.0),
        Key("pricing.everything_free", "switch", p.everything_free,
            "Costs are computed and not charged", path="policy.pricing.everything_free"),
        _number("pricing.base_cost_tokens", p.base_cost_tokens,
                "Credits a request, where Mint is silent", 0.0, 1e12),
        _number("pricing.tokens_per_usd", p.tokens_per_usd,
                "Credits a US dollar, where Mint is silent", 0.001, 1e12),
        _number("pricing.gpu_tokens_per_hour", p.gpu_tokens_per_hour,
                "Credits a GPU-hour, where neither Mint nor an offer says", 0.0, 1e12),
    )  # fmt: skip


def _profile() -> Key:
    return Key(
        "pressure.profile", "choice", Policy().profile,
        "vram: used memory; serving: the engines' own load; auto: serving where known",
        choices=("auto", "vram", "serving"), path="policy.profile",
    )  # fmt: skip


def _tiers() -> tuple[Key, ...]:
    t = TierPolicy()
    return (
        _number("tiers.low", t.low, "Low demand", 0.0, 1.0),
        _number("tiers.moderate", t.moderate, "Moderate demand", 0.0, 1.0),
        _number("tiers.high", t.high, "High demand", 0.0, 1.0),
        _number("tiers.surge", t.surge, "Surge, near capacity", 0.0, 1.0),
        _number("tiers.saturated", t.saturated, "Full; this value itself is still surge", 0.0, 1.0),
    )


def _capacity() -> tuple[Key, ...]:
    c = CapacityPolicy()
    return (
        _number("capacity.scale_up_at", c.scale_up_at,
                "Demand at which the next instance comes", 0.01, 1.0),
        _number("capacity.scale_down_below", c.scale_down_below,
                "Demand below which a surplus one goes", 0.0, 1.0),
        _number("capacity.scale_down_after_s", c.scale_down_after_s,
                "Seconds below it before one goes", 0.0, 1e6),
        _number("capacity.vram_gb", c.vram_gb,
                "VRAM that the next GPU must have; else what an engine holds on one here",
                0.0, 1e4, 24.0),
    )  # fmt: skip


def _health() -> tuple[Key, ...]:
    return (
        _number("health.starting_grace_s", HealthPolicy().starting_grace_s,
                "Seconds that an engine may take to load its model before it counts as down",
                0.0, 1e6),
    )  # fmt: skip


def economy_keys() -> tuple[Key, ...]:
    """The keys of [detector] and [replenishment]."""
    d, r = DetectorPolicy(), ReplenishmentPolicy()
    return (
        _number("detector.threshold", d.threshold,
                "Times its expected cost that flags a task; after 20 flags are classified",
                1.1, 1000.0),
        _number("detector.idle_s", d.idle_s,
                "Seconds without a request after which a task has ended", 10.0, 1e6),
        _number("detector.machine_credits_per_hour", d.machine_credits_per_hour,
                "What all projects may spend together; beyond it they are flagged", 0.001, 1e12,
                36000.0),
        Key("replenishment.window_days", "integer", r.window_days,
            "Days over which velocity, USD of value per credit, is computed", 1, 92,
            path="policy.replenishment.window_days"),
        _number("replenishment.above", r.above,
                "Velocity at which a budget in credits is replenished as it runs out", 0.0, 1e6,
                0.10),
        _number("replenishment.below", r.below,
                "Velocity below which a person is to review it", 0.0, 1e6, 0.02),
        _number("replenishment.at", r.at, "Share of it that is spent by then", 0.01, 1.0),
        _number("replenishment.share", r.share, "Share of its limit that is added", 0.01, 1.0),
    )  # fmt: skip


def cost_keys() -> tuple[Key, ...]:
    """The keys of [cost]."""
    c = CostPolicy()
    return (
        _number("cost.usd_per_gpu_hour", c.usd_per_gpu_hour,
                "Rented: USD an hour for one GPU", 0.0, 1e4, 2.5),
        _number("cost.purchase_usd", c.purchase_usd,
                "Owned: what the GPUs cost together", 0.0, 1e9, 30000.0),
        _number("cost.months", c.months,
                "Owned: months to write that off over", 0.1, 1200.0, 36.0),
        _number("cost.usd_per_kwh", c.usd_per_kwh,
                "Owned: electricity; the watts are measured", 0.0, 100.0, 0.3),
        _number("cost.reference_usd_per_mtok", c.reference_usd_per_mtok,
                "What a million generated tokens cost elsewhere, to compare with", 0.0, 1e6, 0.6),
        Key("cost.reference_name", "text", c.reference_name, "Where that is",
            path="policy.cost.reference_name", sample="some API"),
        Key("cost.gpus", "integer", c.gpus, "How many GPUs, where they cannot be counted",
            1, 1_000_000, path="policy.cost.gpus", sample=8),
        Key("cost.silent_burn_at", "number", c.silent_burn_at,
            "Share of requests ending in abort or error that gets a mark",
            0.0, 1.0, path="policy.cost.silent_burn_at"),
        Key("cost.burn_counts_length", "switch", c.burn_counts_length,
            "Whether requests cut at max_tokens are silent burn too",
            path="policy.cost.burn_counts_length"),
    )  # fmt: skip
