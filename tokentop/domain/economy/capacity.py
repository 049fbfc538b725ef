"""How close the next instance is, what it would cost, and when a surplus one goes."""

from collections.abc import Sequence

from tokentop.domain.economy.pricing import first
from tokentop.domain.numbers import clamp01, ratio
from tokentop.domain.policy import CapacityPolicy, Policy
from tokentop.domain.readings import Offer, RatesReading
from tokentop.domain.snapshot import Capacity, Demand, NextInstance
from tokentop.domain.text import known


def capacity(
    policy: Policy,
    demand: Demand,
    *,
    offers: Sequence[Offer] = (),
    local_vram: Sequence[int | None] = (),
    rates: RatesReading | None = None,
    below_since: float | None = None,
    now: float = 0.0,
) -> Capacity:
    """The capacity panel's figures; `local_vram` is each local GPU's size in bytes.

    `below_since` comes from the function of that name, `now` from the same monotonic clock.
    """
    left = scale_down_in(below_since, now, policy.capacity)
    threshold = policy.capacity.scale_up_at
    share = ratio(demand.utilization, threshold)
    return Capacity(
        threshold=threshold,
        progress=None if share is None else clamp01(share),
        needed=demand.tier in ("surge", "saturated") or left is not None,
        next_instance=next_instance(policy, offers, local_vram, rates or RatesReading()),
        scale_down_in_s=left,
    )


def next_instance(
    policy: Policy,
    offers: Sequence[Offer],
    local_vram: Sequence[int | None],
    rates: RatesReading,
) -> NextInstance:
    """The cheapest offer at least as large as the smallest local GPU, else the default price."""
    per_usd = first(rates.tokens_per_usd, policy.pricing.tokens_per_usd)
    offer = _cheapest(offers, min((size for size in local_vram if size), default=0))
    if offer is None or offer.usd_per_hour is None:
        per_hour = first(rates.gpu_tokens_per_hour, policy.pricing.gpu_tokens_per_hour)
        return NextInstance(usd_per_hour=ratio(per_hour, per_usd), tokens_per_hour=per_hour)
    return NextInstance(
        gpu=offer.gpu,
        vram_bytes=offer.vram_bytes,
        region=offer.region,
        provider=offer.provider,
        usd_per_hour=offer.usd_per_hour,
        tokens_per_hour=offer.usd_per_hour * per_usd,
        source="offer",
    )


def _cheapest(offers: Sequence[Offer], at_least: int) -> Offer | None:
    """None where no offer is suitable; an offer of unknown size suits only where any would."""
    suitable = [
        (offer.usd_per_hour, place)
        for place, offer in enumerate(offers)
        if known(offer.usd_per_hour)
        and offer.usd_per_hour >= 0
        and (offer.vram_bytes or 0) >= at_least
    ]
    return offers[min(suitable)[1]] if suitable else None


def below_since(
    previous: float | None,
    utilization: float | None,
    cloud_active: int | None,
    now: float,
    policy: CapacityPolicy,
) -> float | None:
    """Since when demand has been too low for the cloud instances that run; None while it is not."""
    if not known(utilization) or utilization >= policy.scale_down_below or not cloud_active:
        return None
    return now if previous is None else previous


def scale_down_in(below_since: float | None, now: float, policy: CapacityPolicy) -> float | None:
    """Seconds until a surplus instance goes, counted from when demand dropped."""
    if below_since is None:
        return None
    return max(0.0, policy.scale_down_after_s - max(0.0, now - below_since))
