"""Whether a user, a project or a team may spend now: one answer, with a sentence for a refusal."""

from collections.abc import Iterable

from tokentop.domain.budgets.account import SCALE, Account
from tokentop.domain.ledger.event import iso
from tokentop.domain.text import fmt_usd
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple


class Asker(NamedTuple):
    """On whose account a request would be; None where its sender does not say."""

    user: str | None = None
    project: str | None = None
    team: str | None = None


class Refusal(NamedTuple):
    """Why a request may not be made; `wait_s` where waiting helps. `budget` is a budget's name."""

    kind: Literal["stopped", "spent", "throttled", "undecided"]
    text: str
    budget: str | None = None
    wait_s: float | None = None


class Throttle:
    """So many requests a minute, as many at once after a quiet minute."""

    def __init__(self, per_minute: int) -> None:
        self._every_us = 60_000_000 / per_minute
        self._full_us = 0.0  # when as many are free again as there may be

    def wait_us(self, now_us: int) -> float:
        """How long until the next request may go, 0 where it may now."""
        return max(0.0, self._full_us - now_us - 60_000_000 + self._every_us)

    def take(self, now_us: int) -> None:
        """Let one request go."""
        self._full_us = max(self._full_us, now_us) + self._every_us


def spent_refusal(account: Account, project: str | None, now_us: int) -> Refusal | None:
    """The refusal where an account that stops has nothing left; None where it has."""
    reserve = account.draws_on_reserve(project)
    if not account.rule.stop or account.share(now_us, reserve=reserve) < 1:
        return None
    rule, end = account.rule, account.period(now_us).end_us
    amount = account.spent(now_us, reserve=reserve).amount
    limit = account.limit(now_us, reserve=reserve)
    what = "innovation reserve" if reserve else "budget"
    scale, wait = SCALE[rule.unit], None if end is None else (end - now_us) / 1e6
    until = "" if end is None else f"; it begins again at {iso(end)}"
    text = (
        f"the {what} {rule.name} of {rule.scope} {rule.who} is spent: "
        f"{written(amount / scale, rule.unit)} of {written(limit / scale, rule.unit)}{until}"
    )
    return Refusal("spent", text, rule.name, wait)


def is_throttled(account: Account, project: str | None, now_us: int) -> bool:
    """Whether an account is so near its end that only some requests go through."""
    reserve = account.draws_on_reserve(project)
    return account.share(now_us, reserve=reserve) >= account.rule.warn_at


def throttle_refusal(account: Account, throttle: Throttle, now_us: int) -> Refusal | None:
    """The refusal where a throttled account has had its requests of this minute."""
    wait_us = throttle.wait_us(now_us)
    if not wait_us:
        return None
    rule = account.rule
    text = (
        f"the budget {rule.name} of {rule.scope} {rule.who} is nearly spent: {rule.throttle} "
        f"requests a minute go through, the next in {wait_us / 1e6:.0f} s"
    )
    return Refusal("throttled", text, rule.name, wait_us / 1e6)


def written(amount: float, unit: str) -> str:
    """An amount with its unit, for a sentence."""
    return fmt_usd(amount) if unit == "usd" else f"{amount:,.0f} {unit}"


def first(refusals: Iterable[Refusal | None]) -> Refusal | None:
    return next((each for each in refusals if each is not None), None)
