"""The S-curve, and what a request costs in tokens."""

import math

from tokentop.domain.policy import PricingPolicy
from tokentop.domain.readings import PressureReading, RatesReading
from tokentop.domain.snapshot import Demand, Pricing
from tokentop.domain.text import known

_EXP_LIMIT = 700.0  # exp() overflows a little above


def multiplier(utilization: float, policy: PricingPolicy) -> float:
    """The cost multiplier at a utilisation: between floor and ceiling, never falling."""
    slope = policy.steepness * (utilization - policy.midpoint)
    slope = max(-_EXP_LIMIT, min(_EXP_LIMIT, slope))
    share = 1 / (1 + math.exp(-slope))
    # one product of the share: rounding keeps its order, so the curve never falls
    value = policy.floor + (policy.ceiling - policy.floor) * share
    return min(policy.ceiling, max(policy.floor, value))


def pricing(
    policy: PricingPolicy,
    demand: Demand,
    *,
    acta: PressureReading | None = None,
    rates: RatesReading | None = None,
    priced: bool = True,
) -> Pricing:
    """What the demand costs: ACTA's own multiplier where it gives one, Mint's rates or defaults.

    `priced` is false on a box with only engines or GPUs, where no price is configured: its costs
    are unknown, free or not.
    """
    own = acta.multiplier if acta else None
    factor = demand.utilization
    if known(own):
        factor = own
    elif known(factor):
        factor = multiplier(factor, policy)
    rates = rates or RatesReading()
    base = first(rates.base_cost_tokens, policy.base_cost_tokens) if priced else None
    return Pricing(
        multiplier=factor,
        source="acta" if known(own) else demand.source,
        floor=policy.floor,
        ceiling=policy.ceiling,
        steepness=policy.steepness,
        midpoint=policy.midpoint,
        base_cost_tokens=base,
        effective_cost_tokens=_effective(base, factor, policy.everything_free),
        everything_free=policy.everything_free,
        tokens_per_usd=first(rates.tokens_per_usd, policy.tokens_per_usd),
    )


def first(said: float | None, otherwise: float) -> float:
    """The source's value, else the configured one."""
    return said if known(said) else otherwise


def _effective(base: float | None, factor: float | None, free: bool) -> float | None:
    if base is None:
        return None
    if free:
        return 0.0
    cost = base * factor if factor is not None else None
    return cost if known(cost) else None
