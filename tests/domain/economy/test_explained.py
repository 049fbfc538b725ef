"""The costs page: every row of every figure, worked out by hand."""

import pytest

from tests.domain.economy.test_cost import OWNED, RENTED, at, run
from tokentop.domain.economy.cost_rate import rate
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Gpu
from tokentop.domain.snapshot_engines import Cost, Engine

Row = tuple[str, str, str]

# 100 tokens/s for 10 s, nothing for 10 s, 200 tokens/s for 10 s: 3000 tokens in 30 s, 20 s busy
STEPS = (at(100.0, active=1), at(0.0), at(200.0, active=1))
GPU_HOURS: list[Row] = [("USD per GPU-hour", "$3.60", "configured"), ("GPUs", "2", "measured")]
WATTS: Row = ("watts", "400", "measured, 2 of 2 GPUs")
OWNED_HOUR: list[Row] = [
    ("purchase price, USD", "$7,305", "configured"),
    ("written off over months", "10", "configured"),
    ("hours in a month", "730.5", "365.25 days / 12"),
    ("purchase, USD per hour", "$1.00", "computed"),
    ("USD per kWh", "$0.50", "configured"),
    WATTS,
    ("electricity, USD per hour", "$0.20", "computed"),
]


def page(cost: Cost) -> dict[str, list[Row]]:
    return {each.figure: [tuple(row) for row in each.inputs] for each in cost.explained}


def test_a_rented_box() -> None:
    """Two GPUs at 3.60 USD an hour: 0.06 USD in 30 s, 0.04 USD of it busy; 400 W for 30 s."""
    assert page(run(RENTED, *STEPS).cost) == {
        "usd_per_hour": GPU_HOURS,
        "usd_per_mtok_reserved": [
            ("all time measured, s", "30", "measured"),
            ("USD in that time", "$0.06", "computed"),
            ("tokens generated", "3k", "measured"),
            *GPU_HOURS,
        ],
        "usd_per_mtok_busy": [
            ("time with requests running, s", "20", "measured"),
            ("USD in that time", "$0.04", "computed"),
            ("tokens generated", "3k", "measured"),
            *GPU_HOURS,
        ],
        "usd_per_mtok_best": [
            ("USD per hour now", "$7.20", "computed"),
            ("best tokens per s seen", "200.0", "measured"),
        ],
        "kwh_per_mtok": [
            WATTS,
            ("kWh", "0.003333", "measured"),
            ("tokens generated", "3k", "measured"),
        ],
    }


def test_an_owned_box() -> None:
    """7305 USD over 10 months of 730.5 hours is 1 USD an hour; 400 W at 0.50 USD are 0.20."""
    assert page(run(OWNED, *STEPS).cost)["usd_per_hour"] == OWNED_HOUR


def test_parts_that_are_not_configured() -> None:
    """No kWh price: electricity is left out, in words. No purchase: electricity alone."""
    purchase = page(run(OWNED._replace(usd_per_kwh=None), *STEPS).cost)
    assert purchase["usd_per_hour"] == [
        *OWNED_HOUR[:4],
        ("electricity", "left out", "no price per kWh is configured"),
    ]
    electricity = page(run(CostPolicy(usd_per_kwh=0.5), *STEPS).cost)
    assert electricity["usd_per_hour"] == OWNED_HOUR[4:]


def test_gpus_are_counted_or_configured_and_watts_may_be_unknown() -> None:
    rented = page(run(RENTED._replace(gpus=8), *STEPS).cost)
    assert rented["usd_per_hour"][1] == ("GPUs", "8", "configured")
    half = page(run(OWNED, at(1.0, gpus=(Gpu(0, power_w=300.0), Gpu(1)))).cost)
    assert ("watts", "300", "measured, 1 of 2 GPUs") in half["usd_per_hour"]
    dark = page(run(OWNED, at(1.0, gpus=(Gpu(0), Gpu(1)))).cost)
    assert ("watts", "—", "measured, 0 of 2 GPUs") in dark["usd_per_hour"]


def test_a_figure_made_of_tokens_names_what_is_not_counted() -> None:
    """An engine without a token rate makes every such figure partial, and no other."""
    policy = RENTED._replace(reference_usd_per_mtok=0.6)
    hidden = Engine("b", "ollama", state="names-only")
    shown = page(run(policy, at(5.0, engines=(hidden,))).cost)
    gap = ("not counted", "an engine", "it does not report its tokens")
    assert {figure for figure, rows in shown.items() if gap in rows} == {
        "usd_per_mtok_reserved",
        "usd_per_mtok_busy",
        "usd_per_mtok_best",
        "kwh_per_mtok",
    }
    assert shown["reference_usd_per_mtok"] == [("reference", "$0.60", "configured")]


def test_before_the_first_token() -> None:
    """The best throughput is unknown, and not 0."""
    assert page(run(RENTED, at(0.0)).cost)["usd_per_mtok_best"][1][1] == "—"


@pytest.mark.parametrize("half", [{"purchase_usd": 7305.0}, {"months": 10.0}])
def test_half_a_purchase_is_no_price(half: dict[str, float]) -> None:
    found = rate(CostPolicy(**half), (Gpu(0, power_w=400.0),))
    assert (found.basis, found.usd_per_hour, found.write_off) == (None, None, None)
