"""Value and moved credits as entries: what balances, and at which rate."""

from decimal import ROUND_HALF_EVEN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.ledger.examples import NOON_US
from tokentop.domain.replenishment.records import (
    MAX_MILLI_CREDITS,
    Offer,
    Pair,
    conversion,
    replenishment,
    swap,
    value,
)

AMOUNT = st.integers(1, MAX_MILLI_CREDITS)


def balance(pair: Pair) -> tuple[int, int]:
    """Milli-credits and micro-USD of both sides together."""
    return sum(each.milli_credits or 0 for each in pair), sum(each.micro_usd or 0 for each in pair)


@given(AMOUNT, st.integers(1, 10**9), st.integers(1, 10**6))
def test_whatever_moves_balances_to_zero(amount: int, price: int, multiplier: int) -> None:
    offer = Offer("runpod", "H100", price, multiplier)
    for pair in (
        swap("1", "a", "b", amount, NOON_US),
        replenishment("1", "blue", "a", amount, NOON_US),
        conversion("1", "a", amount, offer, NOON_US),
    ):
        assert balance(pair) == (0, 0)
        assert pair[0].milli_credits == -amount
        assert len({each.identity for each in pair}) == 2
        assert {each.kind for each in pair} == {"transfer"}


@given(AMOUNT, st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_conversion_is_exact_to_the_micro_usd(amount: int, price: int, multiplier: int) -> None:
    """So many seconds of the reference GPU take 1/multiplier of them on another."""
    seconds = Decimal(amount) / 1000 / (Decimal(multiplier) / 1000)
    usd = seconds / 3600 * Decimal(price)
    offer = Offer("runpod", "H100", price, multiplier)
    assert abs(offer.micro_usd(amount) - usd.quantize(Decimal(1), ROUND_HALF_EVEN)) <= 1


def test_an_hour_of_the_reference_gpu_costs_what_it_costs_there() -> None:
    """3,600 credits; on a GPU of six times its speed a sixth of an hour does."""
    assert Offer("vast", "RTX 4090", 350_000, 1000).micro_usd(3_600_000) == 350_000
    assert Offer("vast", "H100", 2_400_000, 6000).micro_usd(3_600_000) == 400_000


def test_a_value_is_its_projects_and_may_correct_an_earlier_one() -> None:
    record = value("7", "alpha", -120_000_000, NOON_US)
    assert (record.identity, record.project, record.micro_usd) == ("value:7", "alpha", -120_000_000)
