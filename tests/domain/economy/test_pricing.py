import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.economy.pricing import multiplier, pricing
from tokentop.domain.policy import PricingPolicy
from tokentop.domain.readings import PressureReading, RatesReading
from tokentop.domain.snapshot import Demand

POLICY = PricingPolicy()
policies = st.builds(
    lambda floor, above, steepness, midpoint: PricingPolicy(
        floor, floor + above, steepness, midpoint
    ),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1e308),
    st.floats(0, 1),
)


class TestCurve:
    @pytest.mark.parametrize(
        ("x", "expected"),
        [
            (0, 1.0606),
            (0.3, 1.5960),
            (0.5, 3.0066),
            (0.55, 3.5),
            (0.6, 3.9934),
            (0.8, 5.4040),
            (1, 5.8670),
        ],
    )
    def test_reference_values(self, x, expected):
        """The published formula with the published parameters."""
        assert multiplier(x, POLICY) == pytest.approx(expected, abs=5e-5)

    @given(st.floats(allow_nan=False, allow_infinity=False), policies)
    def test_is_bounded(self, x, policy):
        """Between floor and ceiling for any utilisation and any steepness."""
        assert policy.floor <= multiplier(x, policy) <= policy.ceiling

    @given(st.floats(0, 1), st.floats(0, 1), policies)
    def test_never_falls(self, one, other, policy):
        """More utilisation never costs less, but for rounding."""
        small, large = sorted((one, other))
        slack = 1e-12 * policy.ceiling
        assert multiplier(small, policy) <= multiplier(large, policy) + slack

    def test_extreme_steepness_is_a_step(self):
        """No overflow: below the midpoint the floor, above it the ceiling."""
        steep = POLICY._replace(steepness=1e300)
        assert multiplier(0.54, steep) == pytest.approx(1.0)
        assert multiplier(0.56, steep) == pytest.approx(6.0)


class TestPricing:
    def test_nothing_known(self):
        """Without a utilisation there is no multiplier; the rates are known all the same."""
        found = pricing(POLICY, Demand())
        assert found.multiplier is None
        assert (found.base_cost_tokens, found.tokens_per_usd) == (10.0, 5000.0)

    def test_everything_free_zeroes_the_effective_cost_only(self):
        """Every calculation still runs while costs are waived."""
        found = pricing(POLICY, Demand(utilization=0.55))
        assert (found.multiplier, found.base_cost_tokens) == (pytest.approx(3.5), 10.0)
        assert found.effective_cost_tokens == 0.0

    def test_costs_are_real_with_the_switch_off(self):
        """Effective is base times multiplier; unknown where the multiplier is."""
        policy = POLICY._replace(everything_free=False)
        found = pricing(policy, Demand(utilization=0.55))
        assert found.effective_cost_tokens == pytest.approx(35.0)
        assert pricing(policy, Demand()).effective_cost_tokens is None

    def test_acta_multiplier_is_used_as_it_is(self):
        """Even outside our own curve's bounds; without one, the curve of ACTA's pressure."""
        demand = Demand(utilization=0.55, source="acta")
        own = pricing(POLICY, demand, acta=PressureReading(pressure=0.55, multiplier=7.25))
        assert (own.multiplier, own.source) == (7.25, "acta")
        curve = pricing(POLICY, demand, acta=PressureReading(pressure=0.55))
        assert (curve.multiplier, curve.source) == (pytest.approx(3.5), "acta")

    def test_local_source(self):
        """Without ACTA the curve's source is local."""
        assert pricing(POLICY, Demand(utilization=0.2)).source == "local"

    def test_mint_rates_win_field_by_field(self):
        """What Mint says replaces the default; what it does not say stays."""
        found = pricing(POLICY, Demand(), rates=RatesReading(base_cost_tokens=12.5))
        assert (found.base_cost_tokens, found.tokens_per_usd) == (12.5, 5000.0)

    def test_no_price_is_configured(self):
        """On a box with only engines or GPUs costs are unknown, not free."""
        found = pricing(POLICY, Demand(utilization=0.5), priced=False)
        assert (found.base_cost_tokens, found.effective_cost_tokens) == (None, None)
        assert found.multiplier is not None
