"""The costs page: every row of every figure, from sums that are given."""

import pytest

from tokentop.domain.economy.cost_account import Account
from tokentop.domain.economy.cost_explained import explained
from tokentop.domain.economy.cost_rate import rate
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Gpu
from tokentop.domain.snapshot_engines import Cost, CostGap

Row = tuple[str, str, str]

TWO = (Gpu(0, power_w=300.0), Gpu(1, power_w=100.0))
RENTED = CostPolicy(usd_per_gpu_hour=3.6)
OWNED = CostPolicy(purchase_usd=7305.0, months=10.0, usd_per_kwh=0.5)
SUMS = Account(
    seconds=30.0, usd=0.06, tokens=3000.0, busy_s=20.0, busy_usd=0.04, busy_tokens=2500.0,
    watt_hours=400.0 * 30 / 3600, watt_tokens=2000.0,
)  # fmt: skip
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


def page(
    policy: CostPolicy, gpus: tuple[Gpu, ...] = TWO, **changes: object
) -> dict[str, list[Row]]:
    """The rows by figure, of a box that generated SUMS."""
    price = rate(policy, gpus)
    cost = Cost(
        basis=price.basis,
        usd_per_hour=price.usd_per_hour,
        reference_usd_per_mtok=policy.reference_usd_per_mtok,
        watts=price.watts,
        best_tokens_per_s=200.0,
    )._replace(**changes)
    rows = explained(cost, policy, price, SUMS)
    return {each.figure: [tuple(row) for row in each.inputs] for each in rows}


def test_a_rented_box() -> None:
    """Two GPUs at 3.60 USD an hour; 400 W for 30 s are 0.003333 kWh."""
    assert page(RENTED) == {
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
            ("tokens generated", "2.5k", "measured"),
            *GPU_HOURS,
        ],
        "usd_per_mtok_best": [
            ("USD per hour now", "$7.20", "computed"),
            ("best tokens per s seen", "200.0", "measured"),
        ],
        "kwh_per_mtok": [
            WATTS,
            ("kWh", "0.003333", "measured"),
            ("tokens generated", "2k", "measured"),
        ],
    }


def test_an_owned_box() -> None:
    """7305 USD over 10 months of 730.5 hours is 1 USD an hour; 400 W at 0.50 USD are 0.20."""
    assert page(OWNED)["usd_per_hour"] == OWNED_HOUR


def test_parts_that_are_not_configured() -> None:
    """No kWh price: electricity is left out, in words. No purchase: electricity alone."""
    assert page(OWNED._replace(usd_per_kwh=None))["usd_per_hour"] == [
        *OWNED_HOUR[:4],
        ("electricity", "left out", "no price per kWh is configured"),
    ]
    assert page(CostPolicy(usd_per_kwh=0.5))["usd_per_hour"] == OWNED_HOUR[4:]


def test_gpus_are_counted_or_configured_and_watts_may_be_unknown() -> None:
    assert page(RENTED._replace(gpus=8))["usd_per_hour"][1] == ("GPUs", "8", "configured")
    none = ("GPUs", "—", "none is seen here: set gpus in [cost] to how many you pay for")
    assert page(RENTED, ())["usd_per_hour"][1] == none
    half = page(OWNED, (TWO[0], Gpu(1)))
    assert ("watts", "300", "measured, 1 of 2 GPUs") in half["usd_per_hour"]
    dark = page(OWNED, (Gpu(0), Gpu(1)))
    assert ("watts", "—", "measured, 0 of 2 GPUs") in dark["usd_per_hour"]
    assert "kwh_per_mtok" not in dark


def test_a_figure_made_of_tokens_names_the_engines_that_reported_none() -> None:
    """Every such figure, and no other."""
    policy = RENTED._replace(reference_usd_per_mtok=0.6)
    shown = page(policy, gaps=(CostGap("ollama@a:1", 95.0),))
    gap = ("tokens of ollama@a:1", "—", "unknown for 1:35")
    assert {figure for figure, rows in shown.items() if gap in rows} == {
        "usd_per_mtok_reserved",
        "usd_per_mtok_busy",
        "usd_per_mtok_best",
        "kwh_per_mtok",
    }
    assert shown["reference_usd_per_mtok"] == [("reference", "$0.60", "configured")]


def test_before_the_first_token() -> None:
    """The best throughput is unknown, and not 0."""
    assert page(RENTED, best_tokens_per_s=None)["usd_per_mtok_best"][1][1] == "—"


@pytest.mark.parametrize("half", [{"purchase_usd": 7305.0}, {"months": 10.0}])
def test_half_a_purchase_is_no_price(half: dict[str, float]) -> None:
    found = rate(CostPolicy(**half), TWO)
    assert (found.basis, found.usd_per_hour, found.write_off) == (None, None, None)
