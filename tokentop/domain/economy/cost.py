"""What a generated token costs here: the rate of the machine over the tokens it made.

Reserved: all time that was measured, up to the last hour. Busy: only while requests ran.
"""

from collections import deque

from tokentop.domain.economy.cost_account import Account
from tokentop.domain.economy.cost_explained import explained
from tokentop.domain.economy.cost_rate import Rate, rate
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Pricing, Snapshot
from tokentop.domain.snapshot_engines import NOT_SERVING, Cost, Engine
from tokentop.domain.text import known

WINDOW_S = 3600.0
SLICE_S = 60.0
GAP_S = 120.0  # nobody measured what happened in between
MILLION = 1e6


class CostMeter:
    """Accumulates from snapshot to snapshot; times are monotonic seconds passed in."""

    def __init__(self, policy: CostPolicy, began: float | None = None) -> None:
        self._policy = policy
        self.measured_until = began
        self._slices: deque[tuple[float, Account]] = deque()
        self._best: float | None = None

    def price(self, snapshot: Snapshot, now: float) -> Snapshot:
        """The snapshot with its costs, after taking the time since the last one into account."""
        price = rate(self._policy, snapshot.gpus)
        speed = snapshot.throughput.generation_tokens_per_s
        if known(speed) and speed > 0:
            self._best = max(self._best or 0.0, speed)
        self._take(price, speed, busy(snapshot), now)
        cost = self._cost(price, snapshot.engines)
        return snapshot._replace(cost=cost, pricing=priced(snapshot.pricing, cost))

    def _take(self, price: Rate, speed: float | None, at_work: bool, now: float) -> None:
        began = self.measured_until
        self.measured_until = now if began is None else max(now, began)
        span = 0.0 if began is None else now - began
        unpriced = price.basis is not None and price.usd_per_hour is None
        if not 0.0 < span <= GAP_S or not known(speed) or unpriced:
            return
        self._add(now, _account(price, speed, at_work, span))

    def _add(self, now: float, account: Account) -> None:
        if self._slices and now - self._slices[-1][0] < SLICE_S:
            start, before = self._slices.pop()
            self._slices.append((start, before.plus(account)))
        else:
            self._slices.append((now, account))
        while self._slices[0][0] < now - WINDOW_S:
            self._slices.popleft()

    def _cost(self, price: Rate, engines: tuple[Engine, ...]) -> Cost:
        total = Account()
        for _, account in self._slices:
            total = total.plus(account)
        usd = price.usd_per_hour
        priced_time = price.basis is not None
        best = None if self._best is None else self._best * 3600.0
        cost = Cost(
            basis=price.basis,
            usd_per_hour=usd,
            usd_per_mtok_reserved=_per_million(total.usd, total.tokens) if priced_time else None,
            usd_per_mtok_busy=_per_million(total.busy_usd, total.busy_tokens)
            if priced_time
            else None,
            usd_per_mtok_best=None if usd is None else _per_million(usd, best),
            reference_name=self._policy.reference_name,
            reference_usd_per_mtok=self._policy.reference_usd_per_mtok,
            watts=price.watts,
            kwh_per_mtok=_per_million(total.watt_hours / 1000.0, total.watt_tokens),
            measured_s=total.seconds,
            busy_s=total.busy_s,
            tokens=total.tokens if total.seconds else None,
            best_tokens_per_s=self._best,
            partial=any(_hides_tokens(engine) for engine in engines),
            rate_at_least=price.at_least,
            reserved_at_least=total.unmetered_s > 0.0,
            busy_at_least=total.unmetered_busy_s > 0.0,
        )
        return cost._replace(explained=explained(cost, self._policy, price, total))


def busy(snapshot: Snapshot) -> bool:
    """Whether requests run now."""
    made = snapshot.throughput.generation_tokens_per_s
    return bool(snapshot.llm.active) or bool(made)


def priced(pricing: Pricing, cost: Cost) -> Pricing:
    """The pricing with the cost's public figures."""
    return pricing._replace(
        usd_per_hour=cost.usd_per_hour,
        usd_per_mtok_reserved=cost.usd_per_mtok_reserved,
        usd_per_mtok_busy=cost.usd_per_mtok_busy,
        usd_per_mtok_best=cost.usd_per_mtok_best,
        reference_name=cost.reference_name,
        reference_usd_per_mtok=cost.reference_usd_per_mtok,
    )


def _account(price: Rate, speed: float, at_work: bool, span: float) -> Account:
    usd = (price.usd_per_hour or 0.0) * span / 3600.0
    tokens = speed * span
    return Account(
        seconds=span,
        usd=usd,
        tokens=tokens,
        busy_s=span if at_work else 0.0,
        busy_usd=usd if at_work else 0.0,
        busy_tokens=tokens if at_work else 0.0,
        watt_hours=(price.watts or 0.0) * span / 3600.0,
        watt_tokens=0.0 if price.watts is None else tokens,
        unmetered_s=span if price.at_least else 0.0,
        unmetered_busy_s=span if price.at_least and at_work else 0.0,
    )


def _per_million(amount: float, tokens: float | None) -> float | None:
    """None where no token was made: no finite price fits."""
    value = amount / tokens * MILLION if tokens else None
    return value if known(value) else None


def _hides_tokens(engine: Engine) -> bool:
    serves = engine.state not in (*NOT_SERVING, "offline") and not engine.router
    return serves and engine.generation_tokens_per_s is None
