"""What counts as the present price of a GPU, and the stack's credits opened into their inputs."""

from fractions import Fraction

import pytest

from tests.engine_examples import rented
from tests.examples import high
from tokentop.domain.economy.live_prices import credits_explained, live_prices
from tokentop.domain.economy.valuation import Live
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Capacity, Gpu, NextInstance, Pricing, Snapshot

OFFER = NextInstance("RTX 3090", 24 * 2**30, "Texas, US", "Vast.ai", 0.17, None, "offer")
GPUS = (Gpu(power_w=500.0), Gpu(power_w=500.0))


def snapshot(offer: NextInstance = OFFER, factor: float | None = 2.5) -> Snapshot:
    capacity = Capacity(next_instance=offer)
    return Snapshot(pricing=Pricing(multiplier=factor), capacity=capacity, gpus=GPUS)


@pytest.mark.parametrize(
    ("policy", "micro_usd", "source"),
    [
        (CostPolicy(), 170_000, "RTX 3090, Vast.ai, Texas, US"),
        (CostPolicy(usd_per_gpu_hour=2.4), 2_400_000, "[cost]"),
        (CostPolicy(purchase_usd=7305.0, months=10.0), 500_000, "[cost]"),
        (CostPolicy(usd_per_kwh=0.3), 170_000, "RTX 3090, Vast.ai, Texas, US"),
    ],
    ids=["an offer", "rented", "owned", "electricity alone"],
)
def test_the_users_price_comes_before_an_offers(
    policy: CostPolicy, micro_usd: int, source: str
) -> None:
    """Owned: 7,305 USD over 10 months of 730.5 hours is 1 USD an hour for two GPUs."""
    assert live_prices(policy, snapshot()) == Live(2500, micro_usd, source)


def test_the_default_price_is_no_offer() -> None:
    """Neither price nor multiplier is invented."""
    assert live_prices(CostPolicy(), snapshot(NextInstance(usd_per_hour=0.8))).source is None
    assert live_prices(CostPolicy(), Snapshot()) == Live()


def test_the_stacks_credits_open_into_their_inputs() -> None:
    """Base cost times multiplier, and the next GPU's price times the rate, recomputed by hand."""
    shown = high()
    request, gpu = credits_explained(shown)
    rows = {one.label: one.value for one in (*request.inputs, *gpu.inputs)}
    whole = Fraction(rows["base cost, credits"]) * Fraction(rows["multiplier"])
    assert float(rows["both together"]) == pytest.approx(float(whole), rel=1e-4)
    usd = Fraction(rows["USD per hour"].strip("$"))
    assert Fraction(rows["credits per hour"]) == usd * Fraction(rows["credits per USD"])
    assert gpu.value == shown.capacity.next_instance.usd_per_hour


def test_without_the_stack_an_offer_has_no_credits() -> None:
    """Its price is still explained: whose it is, and what it had to hold."""
    (gpu,) = credits_explained(rented())
    rows = {one.label: (one.value, one.source) for one in gpu.inputs}
    assert rows["USD per hour"] == ("$0.17", "RTX 3090, Vast.ai, Texas, US")
    assert rows["VRAM that it must have"][0].startswith("20.6")
    assert "credits per hour" not in rows
    assert credits_explained(Snapshot()) == ()
