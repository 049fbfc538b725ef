"""USD per hour now, from what the user pays and what the GPUs draw; nothing of it is assumed."""

from collections.abc import Sequence

from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Gpu
from tokentop.domain.text import known
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

HOURS_A_MONTH = 730.5  # a year of 365.25 days over twelve

Basis = Literal["rented", "owned", "electricity"]


class Rate(NamedTuple):
    """What an hour costs, with its parts; None is unknown. Watts are the GPUs' alone.

    `metered` tells how many of the `gpus` seen tell their watts; where some do not, electricity
    that has a price is missing from the hour, which is `at_least` that much.
    """

    basis: Basis | None = None
    usd_per_hour: float | None = None
    write_off: float | None = None
    electricity: float | None = None
    watts: float | None = None
    gpus: int = 0
    metered: int = 0
    at_least: bool = False


def rate(policy: CostPolicy, pool: Sequence[Gpu]) -> Rate:
    """The rate for the physical GPUs of `pool`; a lost one is paid for all the same."""
    gpus = [gpu for gpu in pool if gpu.mig is None]
    powers = [gpu.power_w for gpu in gpus if known(gpu.power_w) and gpu.state in ("ok", "stale")]
    watts = sum(powers) if powers else None
    seen = Rate(watts=watts, gpus=policy.gpus or len(gpus), metered=len(powers))
    if policy.usd_per_gpu_hour is not None:
        usd = policy.usd_per_gpu_hour * seen.gpus if seen.gpus else None
        return seen._replace(basis="rented", usd_per_hour=usd)
    bounded = policy.usd_per_kwh is not None and len(powers) < max(1, seen.gpus)
    seen = seen._replace(electricity=_electricity(policy, watts), at_least=bounded)
    if policy.purchase_usd is not None and policy.months:
        write_off = policy.purchase_usd / (policy.months * HOURS_A_MONTH)
        usd = write_off + (seen.electricity or 0.0)
        return seen._replace(basis="owned", write_off=write_off, usd_per_hour=usd)
    if policy.usd_per_kwh is not None:
        return seen._replace(basis="electricity", usd_per_hour=seen.electricity)
    return seen


def _electricity(policy: CostPolicy, watts: float | None) -> float | None:
    if watts is None or policy.usd_per_kwh is None:
        return None
    return watts / 1000.0 * policy.usd_per_kwh
