"""One budget's account: what was spent in its period, apart from the reserve, and how fast."""

from datetime import tzinfo

from tokentop.domain.budgets.burn import Burn
from tokentop.domain.budgets.period import Span, span
from tokentop.domain.ledger.event import HOUR_US, iso
from tokentop.domain.ledger.totals import Totals
from tokentop.domain.policy import BudgetRule, BudgetUnit
from tokentop.domain.snapshot_ledger import Budget, BudgetState
from tokentop.named_tuple import NamedTuple

SCALE: dict[BudgetUnit, int] = {"tokens": 1, "credits": 1000, "usd": 1_000_000}


class Spent(NamedTuple):
    """A sum in tokens, milli-credits or micro-USD; `unknown` requests have no known amount."""

    amount: int = 0
    estimated: int = 0
    unknown: int = 0

    def plus(self, other: "Spent") -> "Spent":
        return Spent(*map(sum, zip(self, other, strict=True)))


def in_unit(unit: BudgetUnit, totals: Totals) -> Spent:
    """What totals come to in a unit."""
    if unit == "tokens":
        return Spent(totals.prompt + totals.generated, totals.estimated, totals.unmeasured)
    if unit == "credits":
        return Spent(totals.milli_credits, totals.estimated, totals.unvalued)
    return Spent(totals.micro_usd, totals.estimated, totals.unpriced)


class Account:
    """Sums of a budget by period, and its burn. The innovation reserve is a sum of its own.

    Times are Unix microseconds. `spent`, `limit` and `share` change nothing, so that they may be
    read while another thread books.
    """

    def __init__(self, rule: BudgetRule, zone: tzinfo) -> None:
        self.rule = rule
        self._zone = zone
        self._burn = Burn()
        self._span = Span(0, 0)
        self._sums: dict[tuple[int, bool], Spent] = {}  # by a period's start and whether reserve
        self._granted: dict[int, int] = {}

    def period(self, at_us: int) -> Span:
        """The period that holds a moment."""
        return self._span if at_us in self._span else span(self.rule.period, at_us, self._zone)

    def draws_on_reserve(self, project: str | None) -> bool:
        """Whether what a project spends comes from the innovation reserve."""
        return self._share > 0 and project in self.rule.reserve_projects

    def carry(self, at_us: int, totals: Totals, project: str | None) -> None:
        """Add sums of one period, without a burn: what was booked before."""
        key = (self.period(at_us).start_us, self.draws_on_reserve(project))
        self._sums[key] = self._sums.get(key, Spent()).plus(in_unit(self.rule.unit, totals))

    def heat(self, at_us: int, totals: Totals, project: str | None) -> None:
        """Count sums of a moment of the last hour in the burn only."""
        if not self.draws_on_reserve(project):
            found = in_unit(self.rule.unit, totals)
            self._burn.add(at_us, found.amount, found.unknown)

    def book(self, at_us: int, totals: Totals, project: str | None) -> None:
        """Add an entry at its own time."""
        self.carry(at_us, totals, project)
        self.heat(at_us, totals, project)

    def grant(self, at_us: int, amount: int) -> None:
        """Raise the limit of one period, or lower it; in milli-credits, micro-USD or tokens."""
        start = self.period(at_us).start_us
        self._granted[start] = self._granted.get(start, 0) + amount

    def spent(self, now_us: int, *, reserve: bool = False) -> Spent:
        """What this period has come to."""
        return self._sums.get((self.period(now_us).start_us, reserve), Spent())

    def limit(self, now_us: int, *, reserve: bool = False) -> int:
        """What may be spent in this period; what was granted does not raise the reserve."""
        whole = self.rule.limit * SCALE[self.rule.unit]
        if reserve:
            return round(whole * self._share)
        granted = self._granted.get(self.period(now_us).start_us, 0)
        return round(whole * (1 - self._share)) + granted

    def share(self, now_us: int, *, reserve: bool = False) -> float:
        """The share of the limit that is spent; infinite where there is no limit above 0."""
        limit = self.limit(now_us, reserve=reserve)
        return self.spent(now_us, reserve=reserve).amount / limit if limit > 0 else float("inf")

    @property
    def _share(self) -> float:
        return self.rule.reserve if self.rule.scope == "team" else 0.0

    def _turn(self, now_us: int) -> None:
        """Begin a new period where the one before is over."""
        if now_us not in self._span:
            self._span = span(self.rule.period, now_us, self._zone)
            first = self._span.start_us
            self._sums = {key: each for key, each in self._sums.items() if key[0] >= first}
            self._granted = {key: each for key, each in self._granted.items() if key >= first}

    def budget(self, now_us: int, *, stopped: bool = False) -> Budget:
        """The budget at a moment; `stopped` where a person has stopped its project."""
        self._turn(now_us)
        rule, scale = self.rule, SCALE[self.rule.unit]
        main, limit = self.spent(now_us), self.limit(now_us)
        burn, end = self._burn.per_hour(now_us), self._span.end_us
        left, share = limit - main.amount, self.share(now_us)
        return Budget(
            *(rule.name, rule.scope, rule.who, rule.period, rule.unit),
            limit=limit / scale,
            spent=main.amount / scale,
            reserve=self.limit(now_us, reserve=True) / scale if self._share else None,
            reserve_spent=self.spent(now_us, reserve=True).amount / scale if self._share else None,
            burn_per_hour=None if burn is None else burn / scale,
            zero_in_s=_zero_in_s(left, burn),
            left_at_end=None if burn is None or end is None
            else (left - burn * (end - now_us) / HOUR_US) / scale,
            threshold=max((each for each in rule.thresholds if share >= each), default=None),
            state="stopped" if stopped else self._state(share),
            estimated=main.estimated > 0,
            unknown=max(0, main.unknown),
            ends_at=None if end is None else iso(end),
            share=share if limit > 0 else None,
        )  # fmt: skip

    def _state(self, share: float) -> BudgetState:
        if share >= 1 and self.rule.stop:
            return "stopped"
        if share >= self.rule.warn_at and self.rule.throttle is not None:
            return "throttled"
        if share >= 1:
            return "spent"
        return "warning" if share >= self.rule.warn_at else "ok"


def _zero_in_s(left: int, burn: float | None) -> float | None:
    if left <= 0:
        return 0.0
    return left / burn * 3600 if burn else None
