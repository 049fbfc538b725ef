"""Present prices for valuation, and how the stack's own credit figures were computed."""

from tokentop.domain.economy.cost_rate import rate
from tokentop.domain.economy.valuation import Live
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import NextInstance, Snapshot
from tokentop.domain.snapshot_engines import CostInput, Explanation
from tokentop.domain.text import DASH, fmt_bytes, fmt_usd

CONFIGURED = "[cost]"


def live_prices(policy: CostPolicy, snapshot: Snapshot) -> Live:
    """The multiplier of the moment, and what a GPU-hour costs: the user's price, else an offer's.

    Electricity alone is no price of a GPU. What is unknown is None, and so is what it values.
    """
    factor = snapshot.pricing.multiplier
    usd, source = _gpu_hour(policy, snapshot)
    return Live(
        demand=None if factor is None else round(factor * 1000),
        gpu_hour_micro_usd=None if usd is None else round(usd * 1_000_000),
        source=source,
    )


def _gpu_hour(policy: CostPolicy, snapshot: Snapshot) -> tuple[float | None, str | None]:
    own = rate(policy, snapshot.gpus)
    if own.basis in ("rented", "owned") and own.usd_per_hour is not None and own.gpus:
        return own.usd_per_hour / own.gpus, CONFIGURED
    offer = snapshot.capacity.next_instance
    if offer.source == "offer":
        return offer.usd_per_hour, offer_name(offer)
    return None, None


def offer_name(offer: NextInstance) -> str:
    """`RTX 3090, Vast.ai, Texas, US`."""
    return ", ".join(part for part in (offer.gpu, offer.provider, offer.region) if part)


def credits_explained(snapshot: Snapshot) -> tuple[Explanation, ...]:
    """What a request costs in the stack's credits, and what one more GPU does."""
    found = []
    if snapshot.pricing.base_cost_tokens is not None:
        found.append(_request(snapshot))
    if snapshot.pricing.base_cost_tokens is not None or _is_offer(snapshot):
        found.append(_next_gpu(snapshot))
    return tuple(found)


def _request(snapshot: Snapshot) -> Explanation:
    price, mint = snapshot.pricing, snapshot.mint.source == "mint"
    whole = (price.base_cost_tokens or 0.0) * (price.multiplier or 0.0)
    inputs = (
        CostInput("base cost, credits", _number(price.base_cost_tokens),
                  "Mint" if mint else "[pricing] base_cost_tokens"),
        CostInput("multiplier", _number(price.multiplier), f"demand, {price.source}"),
        CostInput("both together", DASH if price.multiplier is None else _number(whole),
                  "computed"),
        CostInput("charged", "nothing" if price.everything_free else "all of it",
                  "[pricing] everything_free"),
    )  # fmt: skip
    return Explanation("credits_per_request", price.effective_cost_tokens, inputs)


def _next_gpu(snapshot: Snapshot) -> Explanation:
    offer, rate_of = snapshot.capacity.next_instance, snapshot.pricing.tokens_per_usd
    where = offer_name(offer) if _is_offer(snapshot) else "the default: no offer suits"
    needed = offer.needed_bytes
    rows = [
        CostInput("USD per hour", fmt_usd(offer.usd_per_hour, digits=4), where),
        CostInput("VRAM that it must have", DASH if needed is None else fmt_bytes(needed),
                  "as an engine, or a GPU, here" if needed else "any size suits"),
    ]  # fmt: skip
    if snapshot.pricing.base_cost_tokens is not None:
        rows.append(CostInput("credits per USD", _number(rate_of), "Mint, or [pricing]"))
        rows.append(CostInput("credits per hour", _number(offer.tokens_per_hour), "computed"))
    return Explanation("next_gpu_usd_per_hour", offer.usd_per_hour, tuple(rows))


def _is_offer(snapshot: Snapshot) -> bool:
    return snapshot.capacity.next_instance.source == "offer"


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.6g}"
