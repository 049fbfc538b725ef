"""Credits against the published table, and each figure against the inputs that it opens into."""

from fractions import Fraction

import pytest

from tests.domain.ledger.examples import event
from tokentop.config.problems import Problem
from tokentop.config.valuation import load
from tokentop.domain.economy.valuation import Live, Tables, rounded, value
from tokentop.domain.economy.valuation_explained import decimal, explained
from tokentop.domain.ledger.entry import Link, usage

MTOK = 1_000_000
PUBLISHED = (  # model, credits per million input tokens, per million output tokens
    ("gpt-4o", 100, 300),
    ("anthropic/claude-3-5-sonnet-20241022", 80, 240),
    ("meta-llama/Llama-3.1-405B-Instruct", 20, 60),
    ("mistral-large-2411", 60, 180),
    ("gemini/gemini-1.5-pro-002", 70, 210),
)


def shipped() -> Tables:
    tables = load(None)
    assert not isinstance(tables, Problem)
    return tables


@pytest.mark.parametrize(("model", "per_input", "per_output"), PUBLISHED)
def test_the_published_table_is_shipped(model: str, per_input: int, per_output: int) -> None:
    tables = shipped()
    prompt = value(event(model=model, prompt=MTOK, generated=0), tables)
    answer = value(event(model=model, prompt=0, generated=MTOK), tables)
    assert (prompt.milli_credits, answer.milli_credits) == (per_input * 1000, per_output * 1000)


def test_a_cached_token_costs_a_tenth() -> None:
    found = value(event(prompt=MTOK, cached=600_000, generated=0), shipped())
    assert found.milli_credits == 400_000 // 10 + 600_000 // 100


def test_a_smaller_model_of_a_family_is_not_its_flagship() -> None:
    """gpt-4o-mini is in no row, and unknown is not 0."""
    assert value(event(model="gpt-4o-mini"), shipped()).milli_credits is None


@pytest.mark.parametrize(
    ("gpu", "units"),
    [
        ("NVIDIA GeForce RTX 4090", 1.0),
        ("NVIDIA H100 80GB HBM3", 5.989),
        ("NVIDIA H100 PCIe", 4.576),
        ("NVIDIA A100-SXM4-80GB", 1.889),
        ("NVIDIA L40S", 2.192),
        ("NVIDIA L4", 0.732),
    ],
)
def test_a_gpu_second_is_a_unit_times_the_multiplier(gpu: str, units: float) -> None:
    found = value(event(model="own", gpu=gpu, gpu_ms=1_000_000), shipped())
    assert found.milli_credits == units * 1_000_000


def test_memory_counts_as_the_share_of_the_vram_held() -> None:
    """A quarter of the card for a second is a quarter of a unit, and the row shows it."""
    request = event(model="own", gpu="RTX 4090", gpu_ms=1000, vram_share=250)
    milli_credits, inputs = value(request, shipped())
    assert milli_credits == 250
    assert inputs is not None
    entry = usage(request, link=Link("a", 1, 0), people={"ada": "x"}, value=(250, "v"))
    rows = {what: much for what, much, _ in explained(entry, inputs)}
    by_hand = (
        Fraction(rows["GPU-seconds"]) * Fraction(rows["share of the VRAM held"])
        * Fraction(rows["compute units a second"])
    )  # fmt: skip
    assert Fraction(rows["credits"]) == by_hand == Fraction(1, 4)


def test_complexity_is_a_credit_a_thousand_requests_and_ten_billion_parameters() -> None:
    """So 70 B is 7 credits for 1,000 requests: 7 milli-credits for one."""
    with_index = value(event(model="llama-3.1-70b", gpu="RTX 4090", gpu_ms=1000), shipped())
    assert with_index.milli_credits == 1000 + 7


def test_transfer_counts_where_a_factor_is_set() -> None:
    tables = shipped()._replace(bandwidth=2000)
    on_gpu = {"model": "own", "gpu": "RTX 4090", "gpu_ms": 1000}
    assert value(event(**on_gpu, transfer_bytes=10**9), tables).milli_credits == 3000
    assert value(event(**on_gpu), tables).milli_credits is None


@pytest.mark.parametrize(
    "values",
    [
        {"model": "own"},
        {"model": None},
        {"model": "own", "gpu_ms": 1000},
        {"model": "own", "gpu": "a GPU of another maker", "gpu_ms": 1000},
        {"prompt": None},
    ],
)
def test_what_is_not_known_has_no_value(values: dict[str, object]) -> None:
    assert value(event(**values), shipped()) == (None, None)  # type: ignore[arg-type]


def test_a_cache_hit_costs_nothing_and_says_why() -> None:
    found = value(event(outcome="cache-hit", prompt=0, generated=0, model="own"), shipped())
    assert found.milli_credits == 0
    assert found.inputs is not None


def test_live_prices_follow_demand_and_what_the_gpu_costs() -> None:
    """A GPU of 2.10 USD an hour against the reference's 0.35, at 1.5 times: 9 units a second."""
    live = Live(demand=1500, gpu_hour_micro_usd=2_100_000)
    on_gpu = event(model="own", gpu="NVIDIA H100 80GB HBM3", gpu_ms=1000)
    assert value(on_gpu, shipped(), live).milli_credits == 9000
    by_table = value(event(prompt=MTOK, generated=0), shipped(), live)
    assert by_table.milli_credits == 150_000
    assert value(on_gpu, shipped(), Live(demand=1500)).milli_credits is None
    unknown = Live(demand=None, gpu_hour_micro_usd=2_100_000)
    assert value(on_gpu, shipped(), unknown).milli_credits is None
    assert value(event(), shipped(), unknown).milli_credits is None


def test_a_live_figure_keeps_mode_prices_and_multiplier_and_opens_into_them() -> None:
    """By hand: GPU-seconds x (2.10 / 0.35) x 1.5, and where each of them came from."""
    live = Live(1500, 2_100_000, "H100, Vast.ai, Texas, US")
    request = event(model="own", gpu="H100", gpu_ms=2000)
    milli_credits, inputs = value(request, shipped(), live)
    assert milli_credits == 18_000
    assert inputs is not None
    assert inputs["mode"] == "live"
    entry = usage(request, link=Link("a", 1, 0), people={"ada": "x"}, value=(milli_credits, "v"))
    rows = {what: (much, where) for what, much, where in explained(entry, inputs)}
    assert rows["USD per GPU-hour"] == ("2.1", "H100, Vast.ai, Texas, US")
    hour, reference, demand = (
        Fraction(rows[name][0])
        for name in ("USD per GPU-hour", "USD per hour of the reference GPU", "demand multiplier")
    )
    by_hand = Fraction(rows["GPU-seconds"][0]) * hour / reference * demand
    assert Fraction(rows["credits"][0]) == by_hand == 18


def test_a_list_price_says_nothing_of_the_present() -> None:
    inputs = value(event(), shipped()).inputs or {}
    assert not {"mode", "demand"} & {name for name, each in inputs.items() if each is not None}


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        (5, 10, 0),
        (15, 10, 2),
        (25, 10, 2),
        (26, 10, 3),
        (-15, 10, -2),
        (10**20 + 6, 10, 10**19 + 1),
    ],
)
def test_halves_round_to_even(amount: int, unit: int, expected: int) -> None:
    assert rounded(amount, unit) == expected == round(Fraction(amount, unit))


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [(1500, 1000, "1.5"), (43, 10**6, "0.000043"), (-1, 1000, "-0.001"), (2000, 1000, "2"),
     (0, 1000, "0"), (None, 1000, "—")],
)  # fmt: skip
def test_money_is_written_exactly(number: int | None, unit: int, text: str) -> None:
    assert decimal(number, unit) == text


def test_a_figure_opens_into_its_inputs() -> None:
    """Multiplied by hand from the rows, the result is the last one."""
    request = event(prompt=1_000_000, cached=500_000, generated=200_000)
    milli_credits, inputs = value(request, shipped())
    assert inputs is not None
    entry = usage(request, link=Link("a", 1, 0), people={"ada": "x"}, value=(milli_credits, "v"))
    rows = {what: much for what, much, _ in explained(entry, inputs)}
    fresh, cached, generated = (
        Fraction(rows[name])
        for name in ("prompt tokens, not cached", "cached prompt tokens", "generated tokens")
    )
    per_input = Fraction(rows["credits per million prompt tokens"])
    per_output = Fraction(rows["credits per million generated tokens"])
    share = Fraction(rows["share of that for cached ones"])
    by_hand = (fresh + cached * share) * per_input + generated * per_output
    assert Fraction(rows["credits"]) == by_hand / MTOK == Fraction(115)
