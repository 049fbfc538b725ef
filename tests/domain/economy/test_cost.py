"""What a token costs: what was paid over what the counters gained, held against a known truth."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.economy.engines_at_work import (
    GPUS,
    RENTED,
    USD_PER_HOUR,
    Work,
    busy_s,
    made,
    metered,
    row,
    running,
    snapshot,
)
from tokentop.domain.economy.cost import CostMeter
from tokentop.domain.economy.cost_rate import rate
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Gpu, Snapshot
from tokentop.domain.snapshot_engines import Cost, CostBounds, CostGap, Engine

OWNED = CostPolicy(purchase_usd=7305.0, months=10.0, usd_per_kwh=0.5)
HOUR = 3600.0


def run(
    *steps: Snapshot,
    policy: CostPolicy = RENTED,
    every_s: float = 10.0,
    meter: CostMeter | None = None,
) -> Cost:
    """The cost after snapshots taken `every_s` apart; the first one begins the measurement."""
    meter = meter or CostMeter(policy)
    for number, each in enumerate(steps):
        last = meter.price(each, number * every_s)
    return last.cost


def totals(*amounts: float | None, active: int | None = 1) -> tuple[Snapshot, ...]:
    """One engine at several polls, by the tokens it was seen to generate."""
    return tuple(snapshot(row(amount), active=active) for amount in amounts)


def inputs(cost: Cost, figure: str) -> dict[str, tuple[str, str]]:
    found = next(e for e in cost.explained if e.figure == figure)
    return {row.label: (row.value, row.source) for row in found.inputs}


# --- against a truth that is known ---------------------------------------------------------


@pytest.mark.parametrize("length_s", [4.0, 8.0, 20.0])
def test_bursts_cost_what_they_took(length_s: float) -> None:
    """1000 tokens/s in bursts about once a minute, at 4 USD/h: 1.11 USD a million while busy.

    The bursts come every 61.3 s, so that they begin at every moment between two polls.
    """
    work = tuple(Work(7 + 61.3 * n, 7 + 61.3 * n + length_s, 1000.0 * length_s) for n in range(56))
    cost = metered(work, 3440.0)
    assert cost.usd_per_mtok_busy == pytest.approx(4.0 / 3.6, rel=0.05)
    assert cost.busy_s == pytest.approx(busy_s(work, 3440.0), rel=0.05)
    paid = USD_PER_HOUR * 3440.0 / HOUR
    assert cost.usd_per_mtok_reserved == pytest.approx(paid / made(work, 3440.0) * 1e6, rel=0.01)
    assert cost.bounds == CostBounds()


def test_steady_work_costs_the_same_by_any_reckoning() -> None:
    """500 tokens/s for 40 minutes: 4 USD/h are 2.22 USD a million, busy, reserved and at best."""
    cost = metered((Work(-10.0, 2400.0, 500.0 * 2410.0),), 2396.0)
    price = USD_PER_HOUR / (500.0 * HOUR) * 1e6
    for found in (cost.usd_per_mtok_reserved, cost.usd_per_mtok_busy, cost.usd_per_mtok_best):
        assert found == pytest.approx(price, rel=0.02)


def test_a_server_that_counts_at_the_end_has_no_miraculous_best() -> None:
    """Requests of 20 s with 2,000 tokens, one after the other, all counted when they end.

    A minute may hold the ends of four, where it held the work of three.
    """
    work = tuple(Work(20.0 * n, 20.0 * n + 20.0, 2000.0) for n in range(100))
    cost = metered(work, 1996.0, kind="tgi", at_end=True)
    truth = USD_PER_HOUR / (100.0 * HOUR) * 1e6
    assert truth * 3 / 4 <= (cost.usd_per_mtok_best or 0.0) <= truth


def test_the_best_takes_a_full_window() -> None:
    """A burst of 8 s at 1000 tokens/s is at most 8000 tokens in 30 s."""
    cost = metered((Work(100.0, 108.0, 8000.0),), 400.0)
    assert (cost.best_tokens_per_s or 0.0) == pytest.approx(8000.0 / 32.0, rel=0.02)


def test_no_best_before_a_window_has_passed() -> None:
    """Nor from one that begins with the first reading."""
    steady = (Work(-10.0, 1000.0, 101_000.0),)
    assert metered(steady, 32.0).best_tokens_per_s is None
    assert metered(steady, 36.0).best_tokens_per_s == pytest.approx(100.0, rel=0.02)


def test_a_late_answer_makes_no_best() -> None:
    """Polls every 4 s at 100 tokens/s; one answer comes 8 s late and holds 12 s of tokens."""
    meter, at = CostMeter(RENTED), 0.0
    for poll in range(40):
        at = 4.0 * poll
        asked = 8.0 if poll % 10 == 9 else 0.01
        read = 80.0 if poll % 10 in (7, 8) else at  # no answer yet: the row is the one before
        held = row(None if not poll else 100.0 * read, age_s=at - read, latency_s=asked)
        best = meter.price(snapshot(held, active=1), at).cost.best_tokens_per_s
    assert best is not None
    assert best <= 100.0 * 1.01


def test_tokens_are_differences_and_the_first_window_counts_once() -> None:
    """None at the first reading, 400 after it, 400 more: 800, whatever any rate says."""
    steps = [snapshot(row(total, rate=1e6), active=1) for total in (None, 400.0, 800.0)]
    assert run(*steps).tokens == pytest.approx(800.0)


def test_a_count_that_begins_anew_adds_what_it_has() -> None:
    """A new process at the address: 1000, then 50 from a new count."""
    assert run(*totals(0.0, 1000.0, 50.0, 80.0)).tokens == pytest.approx(1080.0)


def test_what_was_counted_before_the_meter_began_is_not_its() -> None:
    """A meter that starts anew, as after a change of price, begins at the count of then."""
    assert run(*totals(1e9, 1e9 + 100.0)).tokens == pytest.approx(100.0)


@given(
    st.lists(
        st.tuples(st.floats(0.5, 100.0), st.integers(0, 10**6), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_money_and_tokens_are_conserved(steps: list[tuple[float, int, bool]]) -> None:
    """All time is paid and every token counted, in whatever steps they come."""
    meter, now, total = CostMeter(RENTED), 0.0, 0
    meter.price(snapshot(row(0.0)), 0.0)
    for span, gained, works in steps:
        now, total = now + span, total + gained
        cost = meter.price(snapshot(row(float(total)), active=int(works)), now).cost
    assert cost.measured_s == pytest.approx(now)
    assert cost.tokens == pytest.approx(total)
    assert 0.0 <= cost.busy_s <= cost.measured_s * (1 + 1e-9)
    if total:
        assert cost.usd_per_mtok_reserved == pytest.approx(USD_PER_HOUR * now / HOUR / total * 1e6)


# --- what is not known ---------------------------------------------------------------------


def test_paid_time_passes_while_an_engine_is_down() -> None:
    """Ten minutes at work and ten minutes down: a token costs twice as much."""
    up = totals(*(100.0 * 10.0 * n for n in range(61)))
    down = [snapshot(row(60_000.0, state="offline"), active=0)] * 60
    cost = run(*up, *down)
    assert cost.measured_s == pytest.approx(1200.0)
    assert cost.usd_per_mtok_reserved == pytest.approx(2 * USD_PER_HOUR / (100 * HOUR) * 1e6)
    assert cost.usd_per_mtok_busy == pytest.approx(USD_PER_HOUR / (100 * HOUR) * 1e6, rel=0.01)
    assert (cost.bounds, cost.gaps) == (CostBounds(), ())


def test_while_nobody_tells_tokens_the_price_is_an_upper_bound_and_names_the_gap() -> None:
    """What was generated meanwhile shares the price, so a token costs at most this."""
    silent = [snapshot(row(1000.0, state="stale", model="Qwen3-32B"), active=None)] * 3
    cost = run(*totals(0.0, 1000.0), *silent)
    assert cost.measured_s == 40.0
    assert cost.usd_per_mtok_reserved == pytest.approx(USD_PER_HOUR * 40.0 / HOUR / 1000.0 * 1e6)
    assert cost.bounds.usd_per_mtok_reserved == "at-most"
    assert cost.gaps == (CostGap("Qwen3-32B", 30.0),)
    assert inputs(cost, "usd_per_mtok_reserved")["tokens of Qwen3-32B"] == ("—", "unknown for 0:30")


def test_what_comes_after_a_gap_is_counted_and_the_gap_still_named() -> None:
    """The counters went on for 30 s: 3,000 tokens more, of which no busy time is known."""
    silent = [snapshot(row(1000.0, state="stale", age_s=10.0 * n), active=None) for n in (1, 2, 3)]
    cost = run(*totals(0.0, 1000.0), *silent, *totals(5000.0, 6000.0))
    assert (cost.tokens, cost.gaps) == (pytest.approx(6000.0), (CostGap("a", 30.0),))
    assert inputs(cost, "usd_per_mtok_busy")["tokens generated"] == ("2k", "measured")


def test_an_address_that_tells_no_rate_is_a_gap() -> None:
    """Several processes answer there in turn: what they generate is not known."""
    steps = [snapshot(row(n, rate=None), active=1) for n in (0.0, 500.0, 500.0)]
    cost = run(*steps)
    assert (cost.tokens, cost.gaps) == (pytest.approx(500.0), (CostGap("a", 20.0),))


def test_an_engine_without_counters_is_a_gap_at_once() -> None:
    """Routers, sleepers and what is known to be down generate nothing that is not counted."""
    told = row(100.0)
    hidden = Engine("b", "ollama", state="names-only")
    harmless = (
        hidden._replace(state="asleep"),
        hidden._replace(id="c", state="offline"),
        hidden._replace(id="d", state="online", router=True),
    )
    whole = run(snapshot(told, *harmless), snapshot(told, *harmless))
    assert (whole.partial, whole.gaps) == (False, ())
    part = run(snapshot(told, hidden), snapshot(told, hidden))
    assert (part.partial, part.gaps) == (True, (CostGap("b", 10.0),))


def test_a_lower_bound_of_tokens_is_an_upper_bound_of_their_price() -> None:
    """Some tokens were not seen to be made (a task that ended between two polls)."""
    steps = [snapshot(row(n * 100.0, rate_at_least=True), active=1) for n in range(3)]
    assert run(*steps).bounds == CostBounds(None, "at-most", "at-most", "at-most")


def test_a_rate_without_counters_makes_an_estimate() -> None:
    """A fleet's server tells rates alone: 100 tokens/s for 20 s."""
    steps = [
        snapshot(Engine("a", "vllm", state="online", generation_tokens_per_s=100.0), active=1)
    ] * 3
    cost = run(*steps)
    assert cost.tokens == pytest.approx(2000.0)
    assert cost.bounds.usd_per_mtok_reserved == cost.bounds.usd_per_mtok_busy == "about"


def test_a_router_counts_only_where_no_engine_does() -> None:
    """Its traffic is the engines' traffic."""
    router = row(1e6, name="r", router=True)
    both = [snapshot(row(t), router, active=1) for t in (0.0, 100.0)]
    assert run(*both).tokens == pytest.approx(100.0)
    alone = [snapshot(row(t, name="r", router=True), active=1) for t in (0.0, 300.0)]
    assert run(*alone).tokens == pytest.approx(300.0)


def test_a_router_that_takes_over_brings_no_history() -> None:
    """Its million tokens are of before."""
    router = row(1e6, name="r", router=True)
    cost = run(snapshot(row(50.0), router), snapshot(row(150.0), router), snapshot(router))
    assert cost.tokens == pytest.approx(100.0)


def test_the_window_is_the_last_hour() -> None:
    """What ran before is forgotten: an hour at a tenth of the speed is ten times as dear."""
    amounts, total = [0.0], 0.0
    for minute in range(1, 125):
        total += 60_000.0 if minute <= 60 else 6_000.0
        amounts.append(total)
    cost = run(*totals(*amounts), every_s=60.0)
    assert cost.usd_per_mtok_reserved == pytest.approx(USD_PER_HOUR / (100 * HOUR) * 1e6)
    assert 3500.0 < cost.measured_s <= 3660.0


@pytest.mark.parametrize("gap", [-5.0, 0.0, 3601.0])
def test_time_that_does_not_pass_costs_nothing(gap: float) -> None:
    """A clock that stands or falls; and beyond the window nothing is left to compute with."""
    meter = CostMeter(RENTED)
    for now in (0.0, 10.0, 10.0 + gap):
        cost = meter.price(totals(100.0)[0], now).cost
    assert cost.measured_s == 10.0


# --- one call after the other --------------------------------------------------------------


def test_calls_in_a_row_cost_what_the_app_says() -> None:
    """Each call goes on from what the last one left, through its file."""
    work = tuple(Work(7 + 61.3 * n, 15 + 61.3 * n, 8000.0) for n in range(20))
    app, left = CostMeter(RENTED), "null"
    for poll in range(300):
        now = 4.0 * poll
        taken = snapshot(row(made(work, now)), active=running(work, now))
        call = CostMeter(RENTED)
        call.restore(json.loads(left), now)
        assert call.price(taken, now).cost == app.price(taken, now).cost
        left = json.dumps(call.dump(), allow_nan=False)
    assert len(left) < 8000


@pytest.mark.parametrize("spoil", ["policy", "until", "counts", "hour", "best"])
@pytest.mark.parametrize("value", [None, "x", {"a": 1}, [1, [[1, 2]]], [None, {"a": [True, 1]}]])
def test_a_spoiled_file_begins_anew(spoil: str, value: object) -> None:
    """What was on disk may be anything; measurements for other prices are of no use."""
    meter = CostMeter(RENTED)
    run(*totals(0.0, 100.0), meter=meter)
    again = CostMeter(RENTED)
    again.restore({**meter.dump(), spoil: value}, 20.0)
    found = again.price(totals(100.0)[0], 20.0).cost
    assert (found.measured_s, found.tokens, found.best_tokens_per_s) == (0.0, None, None)


# --- the rate ------------------------------------------------------------------------------


def test_a_rented_hour_is_the_price_times_the_physical_gpus() -> None:
    """MIG instances are part of their parent; a lost GPU is paid for all the same."""
    policy = CostPolicy(usd_per_gpu_hour=3.6)
    pool = (*GPUS, Gpu(0, "m", mig="a"), Gpu(2, "c", state="lost"))
    assert rate(policy, pool).usd_per_hour == pytest.approx(3 * 3.6)
    assert rate(policy._replace(gpus=8), pool).usd_per_hour == pytest.approx(8 * 3.6)


def test_a_price_without_a_gpu_asks_for_their_number() -> None:
    """No hour can be told, and which key would mend it is said."""
    cost = run(
        *(s._replace(gpus=()) for s in totals(0.0, 100.0)), policy=RENTED._replace(gpus=None)
    )
    assert (cost.usd_per_hour, cost.usd_per_mtok_reserved) == (None, None)
    assert cost.needs == "cost.gpus"
    assert "set gpus in [cost]" in inputs(cost, "usd_per_hour")["GPUs"][1]
    assert run(*totals(0.0, 100.0)).needs is None


def test_an_owned_hour_is_write_off_and_electricity() -> None:
    """7305 USD over 10 months of 730.5 hours is 1 USD; 400 W at 0.5 USD are 0.2 USD."""
    found = rate(OWNED, GPUS)
    assert (found.write_off, found.electricity) == (pytest.approx(1.0), pytest.approx(0.2))
    assert found.usd_per_hour == pytest.approx(1.2)


def test_nothing_is_invented() -> None:
    """Without prices only what was measured; electricity alone where only that is priced."""
    bare = run(*totals(0.0, 100.0), policy=CostPolicy())
    assert bare.usd_per_hour is bare.usd_per_mtok_reserved is None
    assert (bare.watts, bare.basis, bare.needs) == (400.0, None, None)
    assert {e.figure for e in bare.explained} == {"kwh_per_mtok"}
    power = rate(CostPolicy(usd_per_kwh=0.5), GPUS)
    assert (power.basis, power.usd_per_hour) == ("electricity", pytest.approx(0.2))
    assert rate(CostPolicy(usd_per_kwh=0.5), (Gpu(0),)).usd_per_hour is None


def test_energy_per_token_needs_no_price() -> None:
    """400 W for 20 s and 200 tokens."""
    cost = run(*totals(0.0, 100.0, 200.0), policy=CostPolicy())
    assert cost.kwh_per_mtok == pytest.approx(400 * 20 / 3.6e6 / 200 * 1e6)


def test_no_token_has_no_price() -> None:
    """An idle hour costs, but no finite price fits its tokens."""
    cost = run(*totals(0.0, 0.0, 0.0, active=0))
    assert (cost.usd_per_hour, cost.usd_per_mtok_reserved) == (pytest.approx(4.0), None)
    assert cost.usd_per_mtok_busy is cost.usd_per_mtok_best is None


def test_the_reference_stands_beside() -> None:
    """Named by the user, computed from nothing."""
    policy = RENTED._replace(reference_name="an API", reference_usd_per_mtok=0.6)
    pricing = CostMeter(policy).price(totals(1.0)[0], 0.0).pricing
    assert (pricing.reference_name, pricing.reference_usd_per_mtok) == ("an API", 0.6)


def test_every_figure_shows_its_inputs() -> None:
    """What was configured, what was measured, and what was computed from them."""
    cost = run(*totals(*(1000.0 * n for n in range(6))), policy=OWNED)
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
    assert inputs(cost, "usd_per_mtok_reserved")["tokens generated"] == ("5k", "measured")
    assert inputs(cost, "usd_per_mtok_best")["best tokens per s seen"] == ("100.0", "measured")


def test_money_is_plain() -> None:
    """No exponent at either end of what hardware and tokens cost."""
    policy = OWNED._replace(purchase_usd=60_000.0, usd_per_kwh=0.31)
    hour = inputs(run(*totals(1.0), policy=policy), "usd_per_hour")
    assert hour["purchase price, USD"][0] == "$60,000"
    assert hour["USD per kWh"][0] == "$0.31"
    policy = RENTED._replace(reference_name="x", reference_usd_per_mtok=0.00004)
    small = run(*totals(1.0), policy=policy)
    assert inputs(small, "reference_usd_per_mtok")["x"][0] == "$0.00004"


@pytest.mark.parametrize("gpus", [(Gpu(0), Gpu(1)), (GPUS[0], Gpu(1))])
def test_electricity_that_is_not_measured_makes_a_lower_bound(gpus: tuple[Gpu, ...]) -> None:
    """A kWh has a price and watts are unknown, of all GPUs or of one; and as long as it counts."""
    dark = [s._replace(gpus=gpus) for s in totals(0.0, 100.0, 200.0)]
    assert run(*dark, policy=OWNED).bounds == CostBounds(*("at-least",) * 4)
    later = run(*dark, *totals(300.0, 400.0), policy=OWNED).bounds
    assert (later.usd_per_hour, later.usd_per_mtok_reserved) == (None, "at-least")


def test_bounds_on_both_sides_are_none() -> None:
    """Neither the money nor the tokens are whole."""
    dark = snapshot(row(100.0, rate_at_least=True), active=1, gpus=(Gpu(0),))
    assert run(dark, dark, dark, policy=OWNED).bounds.usd_per_mtok_reserved == "about"


def test_what_is_whole_is_no_bound() -> None:
    """All watts known, no price for a kWh, or rented: nothing is missing."""
    for policy, gpus in (
        (OWNED, GPUS), (OWNED._replace(usd_per_kwh=None), (Gpu(0),)), (RENTED, (Gpu(0),)),
    ):  # fmt: skip
        steps = [s._replace(gpus=gpus) for s in totals(0.0, 100.0)]
        assert run(*steps, policy=policy).bounds == CostBounds()
