"""Which prices value an event: the list's, or those of the moment it is booked."""

from tests.domain.ledger.examples import event
from tokentop.config.schema import LedgerConfig
from tokentop.domain.economy.valuation import Live
from tokentop.runtime.ledger.place import valuation

ON_GPU = event(model="own", gpu="RTX 4090", gpu_ms=1000)
LIVE = LedgerConfig(prices="live")


def test_live_prices_are_those_of_the_moment() -> None:
    """Twice the reference's 0.35 USD is two units a second; a minute later it is four."""
    now = iter((Live(1000, 700_000), Live(2000, 700_000)))
    valued = valuation(LIVE, lambda: next(now))
    assert [valued(ON_GPU).milli_credits for _ in range(2)] == [2000, 4000]


def test_list_prices_count_unless_live_ones_are_wanted_and_known() -> None:
    """The configured list, and a file of the past whose moment nobody can price any more."""
    for valued in (valuation(LedgerConfig(), lambda: Live(9000, 1)), valuation(LIVE)):
        assert valued(ON_GPU).milli_credits == 1000
