import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.economy.demand import (
    BANNERS,
    MESSAGES,
    TIERS,
    banner,
    demand,
    mode_of,
    serving_utilization,
    tier_of,
    vram_utilization,
)
from tokentop.domain.policy import Policy, TierPolicy
from tokentop.domain.readings import PressureReading
from tokentop.domain.snapshot import Demand, Pricing

TIER_POLICY = TierPolicy()
POLICY = Policy()
maybe = st.one_of(st.none(), st.floats(0, 3))
anything = st.one_of(st.none(), st.floats(), st.integers())


class TestTiers:
    @pytest.mark.parametrize(
        ("utilization", "tier"),
        [
            (0.0, "idle"),
            (0.0999, "idle"),
            (0.10, "low"),
            (0.3999, "low"),
            (0.40, "moderate"),
            (0.60, "high"),
            (0.7999, "high"),
            (0.80, "surge"),
            (0.95, "surge"),
            (0.950001, "saturated"),
            (1.0, "saturated"),
            (None, None),
            (float("nan"), None),
        ],
    )
    def test_a_boundary_belongs_to_the_tier_that_starts_there(self, utilization, tier):
        """0.10 is low, 0.80 is surge, 0.95 is still surge."""
        assert tier_of(utilization, None, TIER_POLICY) == tier

    def test_back_pressure_is_saturated_whatever_the_utilisation(self):
        """A source that reports back-pressure is believed, on an idle box and with no figure."""
        assert tier_of(0.0, True, TIER_POLICY) == "saturated"
        assert tier_of(None, True, TIER_POLICY) == "saturated"
        assert tier_of(0.3, False, TIER_POLICY) == "low"

    @given(st.floats(allow_nan=False), st.floats(allow_nan=False))
    def test_is_total_and_monotone(self, one, other):
        """Every number has a tier, and more utilisation never lowers it."""
        small, large = sorted((one, other))
        low, high = (tier_of(x, None, TIER_POLICY) for x in (small, large))
        if low and high:
            assert TIERS.index(low) <= TIERS.index(high)
        assert (low is None) == (abs(small) == float("inf"))

    def test_every_tier_has_its_words(self):
        """No tier lacks a message."""
        assert set(MESSAGES) == set(TIERS)


class TestModes:
    @pytest.mark.parametrize(
        ("utilization", "limited", "queued", "slots", "mode"),
        [
            (0.80, None, None, None, "normal"),
            (0.81, None, None, None, "pressure"),
            (0.95, None, None, None, "pressure"),
            (0.951, None, None, None, "saturated"),
            (0.1, True, None, None, "pressure"),
            (0.1, None, 8, 8, "saturated"),
            (0.1, None, 7, 8, "normal"),
            (0.1, None, 0, 0, "normal"),
            (0.1, None, 3, 0, "normal"),
            (None, None, None, None, None),
            (None, True, None, None, "pressure"),
            (None, None, 9, 8, "saturated"),
        ],
    )
    def test_mode(self, utilization, limited, queued, slots, mode):
        """Saturated: a full queue or above 0.95; pressure: above 0.80 or back-pressure."""
        assert mode_of(utilization, limited, queued, slots, TIER_POLICY) == mode


class TestUtilization:
    def test_vram_formula(self):
        """The larger of memory pressure and 0.9 x queue pressure, clamped to 1."""
        assert vram_utilization(0.5, 0.5) == 0.5
        assert vram_utilization(0.2, 0.5) == pytest.approx(0.45)
        assert vram_utilization(0.2, 9.0) == 1.0
        assert vram_utilization(None, 0.5) == pytest.approx(0.45)
        assert vram_utilization(0.3, None) == 0.3
        assert vram_utilization(None, None) is None

    def test_serving_formula(self):
        """All slots busy is 0.80, a queue as long as the slots is 1.0, the KV cache may win."""
        assert serving_utilization(None, 1.0, 0.0) == pytest.approx(0.8)
        assert serving_utilization(0.3, 1.0, 1.0) == 1.0
        assert serving_utilization(None, 1.0, 5.0) == 1.0
        assert serving_utilization(0.9, 0.5, None) == 0.9
        assert serving_utilization(None, None, 0.5) == pytest.approx(0.1)
        assert serving_utilization(0.0, None, None) == 0.0
        assert serving_utilization(None, None, None) is None

    @given(maybe, maybe, maybe)
    def test_stays_between_0_and_1(self, kv, occupancy, queue):
        """Whatever the parts, the result is unknown or a ratio."""
        for value in (serving_utilization(kv, occupancy, queue), vram_utilization(kv, queue)):
            assert value is None or 0 <= value <= 1


class TestDemand:
    def test_nothing_known_is_the_zero_state(self):
        """No source has answered: unknown tier, no mode, and words that say so."""
        assert demand(POLICY) == Demand()
        assert Demand().message == "No data yet"

    def test_local_vram_profile(self):
        """18.2 of 24 GB used, queue 1 of 8: memory wins."""
        found = demand(POLICY, vram_used_bytes=18.2, vram_total_bytes=24, queued=1, max_slots=8)
        assert found.memory_pressure == pytest.approx(0.7583, abs=1e-4)
        assert found.queue_pressure == 0.125
        assert (found.tier, found.mode, found.source) == ("high", "normal", "local")
        assert found.message == "High demand — costs rising"

    def test_a_part_with_a_total_of_0_drops_out(self):
        """No slots and no VRAM is unknown, not idle."""
        found = demand(POLICY, vram_used_bytes=0, vram_total_bytes=0, queued=3, max_slots=0)
        assert (found.memory_pressure, found.queue_pressure, found.tier) == (None, None, None)

    def test_acta_wins_when_it_answers(self):
        """ACTA's pressure replaces the local result; the local parts stay visible."""
        acta = PressureReading(pressure=0.97)
        found = demand(POLICY, vram_used_bytes=1, vram_total_bytes=10, acta=acta)
        assert (found.utilization, found.tier, found.source) == (0.97, "saturated", "acta")
        assert found.memory_pressure == 0.1

    def test_acta_without_a_pressure_leaves_the_local_result(self):
        """An ACTA that answers without its figure is no source."""
        acta = PressureReading(back_pressure=True)
        found = demand(POLICY, vram_used_bytes=1, vram_total_bytes=10, acta=acta)
        assert (found.utilization, found.source) == (0.1, "local")
        assert (found.tier, found.mode) == ("saturated", "pressure")

    def test_back_pressure_is_true_where_anyone_says_so(self):
        """One report of back-pressure outweighs another source's no."""
        acta = PressureReading(pressure=0.2, back_pressure=False)
        assert demand(POLICY, back_pressure=True, acta=acta).back_pressure is True
        assert demand(POLICY, acta=acta).back_pressure is False
        assert demand(POLICY).back_pressure is None

    @pytest.mark.parametrize(
        ("wish", "engines", "profile"),
        [
            ("auto", True, "serving"),
            ("auto", False, "vram"),
            ("vram", True, "vram"),
            ("serving", False, "serving"),
        ],
    )
    def test_profile(self, wish, engines, profile):
        """`auto` picks the serving formula when an engine reports."""
        policy = POLICY._replace(profile=wish)
        found = demand(
            policy,
            vram_used_bytes=95,
            vram_total_bytes=100,
            kv_cache=0.1,
            active=1,
            queued=0,
            max_slots=10,
            engines=engines,
        )
        assert found.profile == profile
        assert found.utilization == (0.95 if profile == "vram" else 0.1)

    @given(anything, anything, anything, anything, anything, anything, st.booleans())
    def test_any_figures_in_no_nonsense_out(self, used, total, active, queued, slots, kv, engines):
        """NaN, infinity and negative sizes never reach the result."""
        found = demand(
            POLICY,
            vram_used_bytes=used,
            vram_total_bytes=total,
            active=active,
            queued=queued,
            max_slots=slots,
            kv_cache=kv,
            engines=engines,
        )
        assert found.utilization is None or 0 <= found.utilization <= 1
        assert found.queue_pressure is None or 0 <= found.queue_pressure < float("inf")
        assert (found.tier is None) == (found.message == "No data yet")


class TestBanner:
    def test_words_of_the_three_modes(self):
        """Each mode has its words, and free is said only where the stack's prices are meant."""
        free, real = Pricing(everything_free=True), Pricing(everything_free=False)
        normal = Demand(mode="normal")
        assert banner(normal, free, True) == "Alpha — Everything is Free"
        assert banner(normal, free, False) == BANNERS["normal"] == "Normal — capacity available"
        assert banner(normal, real, True) == BANNERS["normal"]
        assert banner(Demand(mode="pressure"), free, True) == "High Demand — Costs Are Elevated"
        assert banner(Demand(mode="saturated"), free, True) == "Compute is Full"
        assert banner(Demand(), free, True) == "No data yet"
