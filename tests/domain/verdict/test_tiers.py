"""Tiers at their boundaries, and the tier held for a while before it comes down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.policy import TierPolicy
from tokentop.domain.verdict.tiers import (
    TIERS,
    HeldTier,
    at_least,
    held,
    lifted,
    mode_of,
    restored,
    tier_at,
)

POLICY = TierPolicy()
INTERVAL_S = 4.0


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
def test_a_boundary_belongs_to_the_tier_that_starts_there(
    utilization: float | None, tier: str | None
) -> None:
    """0.10 is low, 0.80 is surge, 0.95 is still surge."""
    assert tier_at(utilization, POLICY) == tier


@given(st.floats(0, 2), st.floats(0, 2))
def test_more_utilisation_never_lowers_the_tier(one: float, other: float) -> None:
    small, large = sorted((one, other))
    low, high = tier_at(small, POLICY), tier_at(large, POLICY)
    assert low is not None
    assert high is not None
    assert TIERS.index(low) <= TIERS.index(high)


def test_the_mode_follows_the_tier() -> None:
    """Idle to high are normal; an unknown tier has no mode."""
    assert [mode_of(tier) for tier in TIERS] == ["normal"] * 4 + ["pressure", "saturated"]
    assert mode_of(None) is None


def test_one_step_up_never_reaches_full() -> None:
    """Full means that requests wait or are refused."""
    assert [lifted(tier) for tier in TIERS] == ["low", "moderate", "high", "surge", "surge",
                                                "saturated"]  # fmt: skip
    assert at_least(None, "high") == at_least("low", "high") == "high"
    assert at_least("surge", "high") == "surge"


def walk(values: list[float], step_s: float = INTERVAL_S) -> list[str]:
    """The tier that is shown after each of these utilisations, one poll apart."""
    shown: list[str] = []
    kept: HeldTier | None = None
    for poll, value in enumerate(values):
        kept = held(
            tier_at(value, POLICY),
            tier_at(value + 0.02, POLICY),
            kept,
            poll * step_s,
            INTERVAL_S,
        )
        assert kept is not None
        shown.append(kept.tier)
    return shown


def test_up_at_once_and_down_after_two_polls() -> None:
    """One calm poll between two busy ones changes nothing."""
    assert walk([0.1, 0.7, 0.1, 0.1]) == ["low", "high", "high", "low"]
    assert walk([0.7, 0.1, 0.7, 0.1, 0.7]) == ["high"] * 5


def test_a_value_on_a_boundary_does_not_flicker() -> None:
    """Within 0.02 below it the higher tier stays; further below it goes."""
    assert walk([0.80, 0.79, 0.785, 0.79, 0.781]) == ["surge"] * 5
    assert walk([0.80, 0.779, 0.779]) == ["surge", "surge", "high"]


def test_pictures_between_polls_do_not_hurry_the_tier() -> None:
    """Time counts, not how often the screen is drawn."""
    assert walk([0.7, 0.1, 0.1, 0.1], step_s=1.0) == ["high"] * 4


def test_without_a_predecessor_nothing_is_held() -> None:
    """And an unknown tier forgets."""
    assert held("low", "low", None, 0.0, INTERVAL_S) == HeldTier("low")
    assert held(None, None, HeldTier("high"), 0.0, INTERVAL_S) is None


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        (
            {"m": ["high", None], "n": ["low", 5.0]},
            {"m": HeldTier("high"), "n": HeldTier("low", 5.0)},
        ),
        ({"m": ["evil", None], "n": 5, "o": ["low"], "p": [[], 1]}, {}),
        ({"m": ["high", 99.0]}, {"m": HeldTier("high")}),  # from the future
        (None, {}),
        ([1], {}),
    ],
)
def test_what_an_earlier_call_left_may_be_anything(
    saved: object, expected: dict[str, HeldTier]
) -> None:
    """It was on disk."""
    assert restored(saved, 10.0) == expected
