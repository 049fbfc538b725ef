"""How close the next instance is, what it would cost, and when a surplus one goes."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tokentop.domain.economy.pricing import first
from tokentop.domain.numbers import clamp01, ratio
from tokentop.domain.policy import CapacityPolicy, Policy
from tokentop.domain.readings import Offer, RatesReading
from tokentop.domain.snapshot import Capacity, Demand, Gpu, NextInstance
from tokentop.domain.text import known

GIB = 2**30


def capacity(
    policy: Policy,
    demand: Demand,
    *,
    offers: Sequence[Offer] = (),
    vram: int = 0,
    rates: RatesReading | None = None,
    below_since: float | None = None,
    now: float = 0.0,
) -> Capacity:
    """The capacity panel's figures; an offer of at least `vram` bytes suits.

    `below_since` comes from the function of that name, `now` from the same monotonic clock.
    """
    left = scale_down_in(below_since, now, policy.capacity)
    threshold = policy.capacity.scale_up_at
    share = ratio(demand.utilization, threshold)
    return Capacity(
        threshold=threshold,
        progress=None if share is None else clamp01(share),
        needed=demand.tier in ("surge", "saturated") or left is not None,
        next_instance=next_instance(policy, offers, vram, rates or RatesReading()),
        scale_down_in_s=left,
    )


def next_instance(
    policy: Policy,
    offers: Sequence[Offer],
    vram: int,
    rates: RatesReading,
) -> NextInstance:
    """The cheapest offer of at least `vram` bytes, else the default price."""
    per_usd = first(rates.tokens_per_usd, policy.pricing.tokens_per_usd)
    offer = _cheapest(offers, vram)
    if offer is None or offer.usd_per_hour is None:
        per_hour = first(rates.gpu_tokens_per_hour, policy.pricing.gpu_tokens_per_hour)
        return NextInstance(
            usd_per_hour=ratio(per_hour, per_usd),
            tokens_per_hour=per_hour,
            needed_bytes=vram or None,
        )
    return NextInstance(
        gpu=offer.gpu,
        vram_bytes=offer.vram_bytes,
        region=offer.region,
        provider=offer.provider,
        usd_per_hour=offer.usd_per_hour,
        tokens_per_hour=offer.usd_per_hour * per_usd,
        source="offer",
        needed_bytes=vram or None,
    )


def vram_needed(policy: CapacityPolicy, pool: Iterable[Gpu]) -> int:
    """The bytes that one more GPU must have to do what one of `pool`, this host's GPUs, does.

    As configured, else the most that one engine holds on one of them, else the size of the
    smallest; 0 where nothing is known.
    """
    if policy.vram_gb is not None:
        return int(policy.vram_gb * GIB)
    pool = tuple(pool)
    largest = max(map(_held_by_an_engine, pool), default=0)
    return largest or min((gpu.vram_total_bytes for gpu in pool if gpu.vram_total_bytes), default=0)


def _held_by_an_engine(gpu: Gpu) -> int:
    """What the engine that holds most of a GPU's VRAM holds, all its processes together."""
    held: Counter[str] = Counter()
    for process in gpu.processes or ():
        if process.engine is not None:
            held[process.engine] += process.vram_bytes or 0
    return max(held.values(), default=0)


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
