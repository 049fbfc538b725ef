"""How each cost was computed, in rows of (what, how much, where that comes from)."""

from tokentop.domain.economy.cost_account import Account
from tokentop.domain.economy.cost_rate import HOURS_A_MONTH, Rate
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot_engines import Cost, CostInput, Explanation
from tokentop.domain.text import DASH, fmt_count, fmt_duration, fmt_usd

CONFIGURED = "configured"
MEASURED = "measured"
COMPUTED = "computed"
Rows = tuple[CostInput, ...]


def explained(
    cost: Cost, policy: CostPolicy, price: Rate, total: Account
) -> tuple[Explanation, ...]:
    """One explanation for each figure that can be shown; without a price only the measured one."""
    found = []
    if cost.basis is not None:
        hour = _hour(policy, price)
        per_hour = CostInput("USD per hour now", _usd(cost.usd_per_hour), COMPUTED)
        found = [
            Explanation("usd_per_hour", cost.usd_per_hour, hour),
            Explanation(
                "usd_per_mtok_reserved", cost.usd_per_mtok_reserved, (*_reserved(total), *hour)
            ),
            Explanation("usd_per_mtok_busy", cost.usd_per_mtok_busy, (*_busy(total), *hour)),
            Explanation("usd_per_mtok_best", cost.usd_per_mtok_best, (per_hour, _best(cost))),
        ]
    if cost.reference_usd_per_mtok is not None:
        named = CostInput(cost.reference_name or "reference", _usd(cost.reference_usd_per_mtok),
                          CONFIGURED)  # fmt: skip
        found.append(Explanation("reference_usd_per_mtok", cost.reference_usd_per_mtok, (named,)))
    if cost.watts is not None:
        found.append(Explanation("kwh_per_mtok", cost.kwh_per_mtok, _energy(price, total)))
    return tuple(each._replace(inputs=_with_gaps(each, cost)) for each in found)


def _hour(policy: CostPolicy, price: Rate) -> Rows:
    counted = CONFIGURED if policy.gpus else MEASURED
    if price.basis == "rented":
        return (
            CostInput("USD per GPU-hour", _usd(policy.usd_per_gpu_hour), CONFIGURED),
            _gpus(price, counted),
        )
    return (*_write_off(policy, price), *_electricity(policy, price))


def _gpus(price: Rate, counted: str) -> CostInput:
    """Their number; where this host shows none, the key that says how many are paid for."""
    if price.gpus:
        return CostInput("GPUs", str(price.gpus), counted)
    return CostInput("GPUs", DASH, "none is seen here: set gpus in [cost] to how many you pay for")


def _write_off(policy: CostPolicy, price: Rate) -> Rows:
    if price.write_off is None:
        return ()
    return (
        CostInput("purchase price, USD", _usd(policy.purchase_usd), CONFIGURED),
        CostInput("written off over months", f"{policy.months:g}", CONFIGURED),
        CostInput("hours in a month", f"{HOURS_A_MONTH:g}", "365.25 days / 12"),
        CostInput("purchase, USD per hour", _usd(price.write_off), COMPUTED),
    )


def _electricity(policy: CostPolicy, price: Rate) -> Rows:
    if policy.usd_per_kwh is None:
        return (CostInput("electricity", "left out", "no price per kWh is configured"),)
    return (
        CostInput("USD per kWh", _usd(policy.usd_per_kwh), CONFIGURED),
        _watts(price),
        CostInput("electricity, USD per hour", _usd(price.electricity), COMPUTED),
    )


def _watts(price: Rate) -> CostInput:
    watts = DASH if price.watts is None else f"{price.watts:.0f}"
    return CostInput("watts", watts, f"{MEASURED}, {price.metered} of {price.gpus} GPUs")


def _reserved(total: Account) -> Rows:
    return (
        CostInput("all time measured, s", f"{total.seconds:.0f}", MEASURED),
        CostInput("USD in that time", _usd(total.usd), COMPUTED),
        CostInput("tokens generated", fmt_count(total.tokens), MEASURED),
    )


def _busy(total: Account) -> Rows:
    return (
        CostInput("time with requests running, s", f"{total.busy_s:.0f}", MEASURED),
        CostInput("USD in that time", _usd(total.busy_usd), COMPUTED),
        CostInput("tokens generated", fmt_count(total.busy_tokens), MEASURED),
    )


def _best(cost: Cost) -> CostInput:
    best = cost.best_tokens_per_s
    return CostInput("best tokens per s seen", DASH if best is None else f"{best:.1f}", MEASURED)


def _energy(price: Rate, total: Account) -> Rows:
    return (
        _watts(price),
        CostInput("kWh", f"{total.watt_hours / 1000:.4g}", MEASURED),
        CostInput("tokens generated", fmt_count(total.watt_tokens), MEASURED),
    )


def _with_gaps(each: Explanation, cost: Cost) -> Rows:
    """The inputs, and which engines' tokens are not among them."""
    if each.figure in ("usd_per_hour", "reference_usd_per_mtok"):
        return each.inputs
    missing = (
        CostInput(f"tokens of {gap.engine}", DASH, f"unknown for {fmt_duration(gap.seconds)}")
        for gap in cost.gaps
    )
    return (*each.inputs, *missing)


def _usd(amount: float | None) -> str:
    """An input as it was given: a price per kWh has more than two digits."""
    return fmt_usd(amount, digits=4)
