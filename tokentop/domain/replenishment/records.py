"""Reported value and moved credits as entries of the ledger.

What moves stands in two entries that balance to zero: one gives, the other takes. The amount of
each is what it adds to what may be spent.
"""

from collections.abc import Mapping

from tokentop.domain.economy.valuation import rounded
from tokentop.domain.ledger.record import Record
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

MAX_MICRO_USD = 10**15  # a billion USD of one report
MAX_MILLI_CREDITS = 10**15

Pair = tuple[Record, Record]


def value(name: str, project: str, micro_usd: int, at_us: int) -> Record:
    """Business value that came of a project; a negative one corrects an earlier report."""
    return Record("value", f"value:{name}", at_us, "reported", project=project, micro_usd=micro_usd)


def swap(name: str, giver: str, taker: str, milli_credits: int, at_us: int) -> Pair:
    """Credits that one project leaves to another."""
    there = {"to": taker, "from": giver}
    given = _side("swap", name, "given", at_us, there)
    taken = _side("swap", name, "taken", at_us, there)
    return (
        given._replace(project=giver, milli_credits=-milli_credits),
        taken._replace(project=taker, milli_credits=milli_credits),
    )


def replenishment(
    name: str, team: str | None, project: str, milli_credits: int, at_us: int
) -> Pair:
    """Credits that a team's budget, without its innovation reserve, leaves to a project of it."""
    given = _side("replenish", name, "given", at_us, {"to": project})
    taken = _side("replenish", name, "taken", at_us, {"from": team})
    return (
        given._replace(team=team, milli_credits=-milli_credits),
        taken._replace(project=project, milli_credits=milli_credits),
    )


def conversion(name: str, project: str, milli_credits: int, offer: "Offer", at_us: int) -> Pair:
    """Credits that a project turns into an account at a provider, at what a GPU costs there."""
    micro_usd = offer.micro_usd(milli_credits)
    there: dict[str, int | str | None] = {
        "to": offer.provider, "gpu": offer.gpu, "gpu_hour": offer.gpu_hour_micro_usd,
        "multiplier": offer.multiplier,
    }  # fmt: skip
    given = _side("convert", name, "given", at_us, there)
    taken = _side("convert", name, "taken", at_us, {**there, "from": project})
    return (
        given._replace(project=project, milli_credits=-milli_credits, micro_usd=-micro_usd),
        taken._replace(milli_credits=milli_credits, micro_usd=micro_usd),
    )


class Offer(NamedTuple):
    """What a GPU costs at a provider now: micro-USD an hour, its speed in thousandths."""

    provider: str
    gpu: str
    gpu_hour_micro_usd: int
    multiplier: int

    def micro_usd(self, milli_credits: int) -> int:
        """What so many credits of GPU time cost there; a credit is a second of the reference."""
        return rounded(milli_credits * self.gpu_hour_micro_usd, 3600 * self.multiplier)


def _side(
    how: Literal["swap", "replenish", "convert"], name: str, outcome: str, at_us: int,
    details: Mapping[str, int | str | None],
) -> Record:  # fmt: skip
    identity = f"{how}:{name}:{'from' if outcome == 'given' else 'to'}"
    return Record("transfer", identity, at_us, outcome, details={how: name, **details})
