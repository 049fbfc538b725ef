"""What a token costs: only from what is configured and measured, and every input shown."""

from typing import Any

import pytest

from tokentop.domain.economy.cost import CostMeter
from tokentop.domain.economy.cost_rate import rate
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Gpu, Llm, Snapshot
from tokentop.domain.snapshot_engines import Cost, Engine, Throughput

RENTED = CostPolicy(usd_per_gpu_hour=3.6)
OWNED = CostPolicy(purchase_usd=7305.0, months=10.0, usd_per_kwh=0.5)
TWO = (Gpu(0, "a", power_w=300.0), Gpu(1, "b", power_w=100.0))


def at(tokens_per_s: float | None, *, active: int = 0, gpus: Any = TWO, **more: Any) -> Snapshot:
    return Snapshot(
        gpus=gpus,
        llm=Llm(active=active),
        throughput=Throughput(generation_tokens_per_s=tokens_per_s),
        **more,
    )


def run(policy: CostPolicy, *steps: Snapshot, every_s: float = 10.0) -> Snapshot:
    """The last of snapshots taken `every_s` apart; the first begins the measurement."""
    meter = CostMeter(policy, 0.0)
    for number, snapshot in enumerate(steps, 1):
        last = meter.price(snapshot, number * every_s)
    return last


def inputs(cost: Cost, figure: str) -> dict[str, tuple[str, str]]:
    found = next(e for e in cost.explained if e.figure == figure)
    return {row.label: (row.value, row.source) for row in found.inputs}


def test_a_rented_hour_is_the_price_times_the_physical_gpus() -> None:
    """MIG instances are part of their parent; a lost GPU is paid for all the same."""
    pool = (*TWO, Gpu(0, "m", mig="a"), Gpu(2, "c", state="lost"))
    assert rate(RENTED, pool).usd_per_hour == pytest.approx(3 * 3.6)
    assert rate(RENTED._replace(gpus=8), pool).usd_per_hour == pytest.approx(8 * 3.6)
    assert rate(RENTED, ()).usd_per_hour is None


def test_an_owned_hour_is_write_off_and_electricity() -> None:
    """7305 USD over 10 months of 730.5 hours is 1 USD; 400 W at 0.5 USD are 0.2 USD."""
    found = rate(OWNED, TWO)
    assert (found.write_off, found.electricity) == (pytest.approx(1.0), pytest.approx(0.2))
    assert found.usd_per_hour == pytest.approx(1.2)


def test_nothing_is_invented() -> None:
    """Without prices only what was measured; electricity alone where only that is priced."""
    bare = run(CostPolicy(), at(10.0, active=1), at(10.0, active=1))
    assert bare.cost.usd_per_hour is bare.cost.usd_per_mtok_reserved is None
    assert bare.pricing.usd_per_hour is None
    assert (bare.cost.watts, bare.cost.basis) == (400.0, None)
    assert {e.figure for e in bare.cost.explained} == {"kwh_per_mtok"}
    power = rate(CostPolicy(usd_per_kwh=0.5), TWO)
    assert (power.basis, power.usd_per_hour) == ("electricity", pytest.approx(0.2))
    assert rate(CostPolicy(usd_per_kwh=0.5), (Gpu(0),)).usd_per_hour is None


def test_a_million_tokens_on_both_bases() -> None:
    """Half of the time idle: reserved costs twice what busy time costs. 7.2 USD/h, 100 tokens/s."""
    busy, idle = at(100.0, active=1), at(0.0)
    cost = run(RENTED, busy, idle, busy, idle).cost
    busy_price = 7.2 / (100 * 3600) * 1e6
    assert cost.usd_per_mtok_busy == pytest.approx(busy_price)
    assert cost.usd_per_mtok_reserved == pytest.approx(2 * busy_price)
    assert (cost.measured_s, cost.busy_s, cost.tokens) == (40.0, 20.0, pytest.approx(2000.0))


def test_the_best_throughput_seen_sets_the_best_price() -> None:
    """At the rate of now."""
    cost = run(RENTED, at(50.0), at(200.0), at(0.0)).cost
    assert cost.usd_per_mtok_best == pytest.approx(7.2 / (200 * 3600) * 1e6)


def test_energy_per_token_needs_no_price() -> None:
    """400 W for 20 s at 10 tokens/s."""
    cost = run(CostPolicy(), at(10.0), at(10.0)).cost
    assert cost.kwh_per_mtok == pytest.approx(400 * 20 / 3.6e6 / 200 * 1e6)


def test_no_token_has_no_price() -> None:
    """An idle hour costs, but no finite price fits its tokens."""
    cost = run(RENTED, at(0.0), at(0.0)).cost
    assert (cost.usd_per_hour, cost.usd_per_mtok_reserved) == (pytest.approx(7.2), None)
    assert cost.usd_per_mtok_busy is cost.usd_per_mtok_best is None


@pytest.mark.parametrize("gap", [-5.0, 0.0, 121.0])
def test_unmeasured_time_counts_for_nothing(gap: float) -> None:
    """A clock that stands or falls, a laptop that slept: neither money nor tokens."""
    meter = CostMeter(RENTED, 0.0)
    meter.price(at(10.0), 10.0)
    cost = meter.price(at(10.0), 10.0 + gap).cost
    assert (cost.measured_s, cost.tokens) == (10.0, 100.0)


def test_time_without_a_known_rate_or_price_is_left_out() -> None:
    """Money without its tokens, or tokens without their money, would make a false price."""
    unknown, unpriced = at(None), at(1e6, gpus=())
    cost = run(RENTED, at(100.0, active=1), unknown, unpriced, at(100.0, active=1)).cost
    assert cost.measured_s == 20.0
    assert cost.usd_per_mtok_reserved == pytest.approx(20.0)


def test_only_the_last_hour_counts() -> None:
    """What ran before is forgotten."""
    meter = CostMeter(RENTED, 0.0)
    for minute in range(1, 61):
        meter.price(at(1000.0, active=1), minute * 60.0)
    for minute in range(61, 125):
        cost = meter.price(at(100.0, active=1), minute * 60.0).cost
    assert cost.usd_per_mtok_reserved == pytest.approx(20.0)
    assert 3500.0 < cost.measured_s <= 3660.0


def test_an_engine_that_hides_tokens_makes_the_price_partial() -> None:
    """Routers and sleeping engines hide nothing."""
    told = Engine("a", "vllm", state="online", generation_tokens_per_s=5.0)
    hidden = Engine("b", "ollama", state="names-only")
    harmless = (hidden._replace(state="asleep"), hidden._replace(router=True))
    assert run(RENTED, at(5.0, engines=(told, hidden))).cost.partial
    whole = run(RENTED, at(5.0, engines=(told, *harmless))).cost
    assert not whole.partial
    assert "not counted" not in inputs(whole, "usd_per_mtok_busy")


def test_the_reference_stands_beside() -> None:
    """Named by the user, computed from nothing."""
    policy = RENTED._replace(reference_name="an API", reference_usd_per_mtok=0.6)
    pricing = run(policy, at(1.0)).pricing
    assert (pricing.reference_name, pricing.reference_usd_per_mtok) == ("an API", 0.6)


def test_every_figure_shows_its_inputs() -> None:
    """What was configured, what was measured, and what was computed from them."""
    cost = run(OWNED, at(100.0, active=1), at(100.0, active=1)).cost
    figures = {e.figure: e.value for e in cost.explained}
    assert set(figures) == {
        "usd_per_hour",
        "usd_per_mtok_reserved",
        "usd_per_mtok_busy",
        "usd_per_mtok_best",
        "kwh_per_mtok",
    }
    assert all(value == getattr(cost, name) for name, value in figures.items())
    hour = inputs(cost, "usd_per_hour")
    assert hour["purchase price, USD"] == ("$7,305", "configured")
    assert hour["watts"] == ("400", "measured, 2 of 2 GPUs")
    assert inputs(cost, "usd_per_mtok_reserved")["tokens generated"] == ("2k", "measured")


def test_money_is_plain() -> None:
    """No exponent at either end of what hardware and tokens cost."""
    policy = OWNED._replace(purchase_usd=60_000.0, usd_per_kwh=0.31)
    hour = inputs(run(policy, at(1.0)).cost, "usd_per_hour")
    assert hour["purchase price, USD"][0] == "$60,000"
    assert hour["USD per kWh"][0] == "$0.31"
    small = run(RENTED._replace(reference_name="x", reference_usd_per_mtok=0.00004), at(1.0)).cost
    assert inputs(small, "reference_usd_per_mtok")["x"][0] == "$0.00004"


@pytest.mark.parametrize("gpus", [(Gpu(0), Gpu(1)), (TWO[0], Gpu(1))])
def test_unmeasured_electricity_makes_a_lower_bound(gpus: tuple[Gpu, ...]) -> None:
    """A kWh has a price and watts are unknown, of all GPUs or of one; and as long as it counts."""
    dark = at(100.0, active=1, gpus=gpus)
    cost = run(OWNED, dark, dark).cost
    assert (cost.rate_at_least, cost.reserved_at_least, cost.busy_at_least) == (True,) * 3
    later = run(OWNED, dark._replace(llm=Llm(active=0), throughput=Throughput(
        generation_tokens_per_s=0.0)), at(100.0, active=1)).cost  # fmt: skip
    assert (later.rate_at_least, later.reserved_at_least, later.busy_at_least) == (
        False, True, False,
    )  # fmt: skip


def test_what_is_whole_is_no_bound() -> None:
    """All watts known, no price for a kWh, or rented: nothing is missing."""
    for policy, gpus in (
        (OWNED, TWO), (OWNED._replace(usd_per_kwh=None), (Gpu(0),)), (RENTED, (Gpu(0),)),
    ):  # fmt: skip
        cost = run(policy, at(100.0, active=1, gpus=gpus)).cost
        assert not any((cost.rate_at_least, cost.reserved_at_least, cost.busy_at_least))
