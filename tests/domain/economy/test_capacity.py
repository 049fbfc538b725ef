import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.economy.capacity import below_since, capacity, next_instance, vram_needed
from tokentop.domain.policy import CapacityPolicy, Policy
from tokentop.domain.readings import Offer, RatesReading
from tokentop.domain.snapshot import Demand, Gpu, NextInstance, Process

POLICY = Policy()
GIB = 2**30
SMALL = Offer("o1", "RTX 3060", 12 * GIB, "EU", "vast", 0.12)
RTX = Offer("o2", "RTX 4090", 24 * GIB, "US-East", "vast", 0.42)
H100 = Offer("o3", "H100", 80 * GIB, "EU", "lambda", 2.49)
NAMELESS = Offer("o4", None, None, None, None, 0.05)
OFFERS = (H100, RTX, SMALL, NAMELESS, Offer("o5", "A100", 80 * GIB, None, None, None))


class TestNextInstance:
    def test_cheapest_offer_as_large_as_the_smallest_local_gpu(self):
        """24 GiB is the least here: the 12 GiB offer and the one of unknown size do not suit."""
        found = next_instance(POLICY, OFFERS, 24 * GIB, RatesReading())
        assert found == NextInstance(
            "RTX 4090", 24 * GIB, "US-East", "vast", 0.42, pytest.approx(2100), "offer", 24 * GIB
        )

    def test_any_offer_where_no_gpu_is_local(self):
        """With nothing to compare to, the cheapest of all, priced at Mint's rate."""
        found = next_instance(POLICY, OFFERS, 0, RatesReading(tokens_per_usd=6000))
        assert (found.usd_per_hour, found.tokens_per_hour) == (0.05, pytest.approx(300))

    @pytest.mark.parametrize("offers", [(), (SMALL,), (Offer("x", "A100", 80 * GIB),)])
    def test_default_where_no_offer_suits(self, offers):
        """None, only too small ones, or one without a price: 0.80 USD/h and 4,000 tokens/h."""
        found = next_instance(POLICY, offers, 24 * GIB, RatesReading())
        assert found == NextInstance(
            usd_per_hour=0.8, tokens_per_hour=4000.0, source="default", needed_bytes=24 * GIB
        )

    def test_default_follows_mint(self):
        """Mint's own rates make the default price."""
        rates = RatesReading(tokens_per_usd=4000, gpu_tokens_per_hour=6000)
        assert next_instance(POLICY, (), 0, rates).usd_per_hour == 1.5
        assert next_instance(POLICY, (), 0, RatesReading(tokens_per_usd=0)).usd_per_hour is None


class TestCapacity:
    @pytest.mark.parametrize(
        ("utilization", "tier", "progress", "needed"),
        [
            (None, None, None, False),
            (0.0, "idle", 0.0, False),
            (0.475, "moderate", 0.5, False),
            (0.855, "surge", 0.9, True),
            (1.0, "saturated", 1.0, True),
        ],
    )
    def test_progress_and_need(self, utilization, tier, progress, needed):
        """Progress runs to 1 at the threshold; the panel is needed from surge on."""
        found = capacity(POLICY, Demand(utilization=utilization, tier=tier))
        assert found.progress == (None if progress is None else pytest.approx(progress))
        assert (found.needed, found.threshold) == (needed, 0.95)

    def test_needed_while_the_countdown_runs(self):
        """In a calm tier the panel stays as long as a surplus instance is about to go."""
        calm = Demand(utilization=0.2, tier="low")
        found = capacity(POLICY, calm, below_since=100.0, now=119.0)
        assert (found.scale_down_in_s, found.needed) == (581.0, True)
        assert capacity(POLICY, calm, below_since=0.0, now=9999.0).scale_down_in_s == 0.0


class TestScaleDownClock:
    def test_starts_keeps_and_stops(self):
        """From the first low reading, through low ones, until demand returns or the cloud goes."""
        policy = CapacityPolicy()
        assert below_since(None, 0.39, 1, 50.0, policy) == 50.0
        assert below_since(50.0, 0.10, 1, 80.0, policy) == 50.0
        assert below_since(50.0, 0.40, 1, 80.0, policy) is None
        assert below_since(50.0, 0.10, 0, 80.0, policy) is None
        assert below_since(50.0, 0.10, None, 80.0, policy) is None
        assert below_since(50.0, None, 1, 80.0, policy) is None

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
    def test_never_starts_in_the_future_nor_moves_while_low(self, walk):
        """Along any walk the clock is unset above the bound and the first low time below it."""
        since, started = None, None
        for now, utilization in enumerate(walk):
            since = below_since(since, utilization, 2, float(now), CapacityPolicy())
            started = None if utilization >= 0.40 else (now if started is None else started)
            assert since == started


class TestVramNeeded:
    """What one more GPU must have, in bytes."""

    def gpu(self, total: int, *held: tuple[str | None, int]) -> Gpu:
        processes = [Process(pid, vram_bytes=size * GIB, engine=engine)
                     for pid, (engine, size) in enumerate(held)]  # fmt: skip
        return Gpu(vram_total_bytes=total * GIB, processes=tuple(processes))

    def test_what_the_largest_engine_holds_on_one_gpu(self):
        """Its processes count together; other programs' do not."""
        pool = [self.gpu(80, ("a", 30), ("a", 10), ("b", 20)), self.gpu(24, (None, 23), ("b", 12))]
        assert vram_needed(CapacityPolicy(), pool) == 40 * GIB

    def test_the_smallest_gpu_where_no_engines_share_is_known(self):
        assert vram_needed(CapacityPolicy(), [self.gpu(80, (None, 70)), self.gpu(24)]) == 24 * GIB
        assert vram_needed(CapacityPolicy(), [Gpu()]) == 0

    def test_what_the_user_says_comes_first(self):
        assert vram_needed(CapacityPolicy(vram_gb=48.0), [self.gpu(24, ("a", 20))]) == 48 * GIB
