"""The doctor's check of costs: what is configured, or how to configure it."""

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Cost
from tokentop.domain.text import fmt_usd
from tokentop.views.doctor.report import Row

HOW = (
    "rented: usd_per_gpu_hour in [cost]; owned: purchase_usd and months, and usd_per_kwh"
    " (watts are measured)"
)
_BASES = {
    "rented": "rented GPUs",
    "owned": "owned GPUs, written off",
    "electricity": "electricity alone",
}


def rows(config: Config, snapshot: Snapshot) -> tuple[Row, ...]:
    """Return the basis of costs with the price per hour now, or how to configure one."""
    cost, policy = snapshot.cost, config.policy.cost
    found = [_basis(cost)] if cost.basis else [Row("off", "[cost]", "not configured", HOW)]
    if policy.reference_usd_per_mtok is not None:
        name = policy.reference_name or "a reference"
        price = fmt_usd(policy.reference_usd_per_mtok)
        found.append(Row("info", "compared", f"{name}: {price} a million tokens"))
    return tuple(found)


def _basis(cost: Cost) -> Row:
    words = _BASES.get(cost.basis or "", "")
    if cost.usd_per_hour is not None:
        return Row("ok", "[cost]", f"{words}: {fmt_usd(cost.usd_per_hour)} an hour now")
    if cost.basis == "electricity":
        return Row("warn", "[cost]", f"{words}, and no GPU reports its watts", HOW)
    return Row("warn", "[cost]", f"{words}, and how many is unknown", "set gpus in [cost]")
