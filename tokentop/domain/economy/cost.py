"""What a generated token costs here: what was paid over what was generated, in the last hour.

Reserved: all time, whatever ran. Busy: only while requests ran. Paid time passes whatever is
known of the tokens.
"""

from collections.abc import Mapping

from tokentop.domain.economy.cost_account import WINDOW_S, Account, LastHour
from tokentop.domain.economy.cost_best import BestThroughput
from tokentop.domain.economy.cost_explained import explained
from tokentop.domain.economy.cost_rate import Rate, rate
from tokentop.domain.economy.cost_tokens import Step, TokenCounts
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Pricing, Snapshot
from tokentop.domain.snapshot_engines import Bound, Cost, CostBounds, CostGap, Engine
from tokentop.domain.text import known

MILLION = 1e6
NEEDS_GPUS = "cost.gpus"


class CostMeter:
    """Accumulates from snapshot to snapshot; times are monotonic seconds passed in."""

    def __init__(self, policy: CostPolicy) -> None:
        self._policy = policy
        self._until: float | None = None
        self._active: bool | None = None
        self._counts = TokenCounts()
        self._hour = LastHour()
        self._best = BestThroughput()

    def price(self, snapshot: Snapshot, now: float) -> Snapshot:
        """The snapshot with its costs, after taking the time since the last one into account."""
        price = rate(self._policy, snapshot.gpus)
        span = 0.0 if self._until is None else now - self._until
        if self._until is None or span > 0.0:
            self._take(price, snapshot, now, span)
        cost = self._cost(price, snapshot.engines)
        return snapshot._replace(cost=cost, pricing=priced(snapshot.pricing, cost))

    def dump(self) -> dict[str, object]:
        """Everything measured, as plain JSON values, for a later call of a one-shot view."""
        return {
            "policy": repr(self._policy),
            "until": self._until,
            "active": self._active,
            "counts": self._counts.dump(),
            "hour": self._hour.dump(),
            "best": self._best.dump(),
        }

    def restore(self, saved: object, now: float) -> None:
        """Go on from what an earlier call left; what is malformed, or for other prices, is not."""
        if not isinstance(saved, Mapping) or saved.get("policy") != repr(self._policy):
            return
        try:
            until, active = float(saved["until"]), saved["active"]
            counts = TokenCounts.restored(saved["counts"])
            hour, best = LastHour.restored(saved["hour"]), BestThroughput.restored(saved["best"])
        except (KeyError, TypeError, ValueError, AttributeError):
            return
        if 0.0 <= now - until <= WINDOW_S:
            self._until, self._active = until, active if isinstance(active, bool) else None
            self._counts, self._hour, self._best = counts, hour, best

    def _take(self, price: Rate, snapshot: Snapshot, now: float, span: float) -> None:
        """One step; without a price that was asked for neither money nor tokens count."""
        step = self._counts.step(snapshot.engines, now)
        before, self._active = self._active, active(snapshot)
        self._until = now
        self._best.add(
            snapshot.engines, step.tokens or 0.0, now, anew=step.arrived or step.late_tokens > 0
        )
        unpriced = price.basis is not None and price.usd_per_hour is None
        if 0.0 < span <= WINDOW_S and not unpriced:
            share = busy_share(before, self._active, step.tokens)
            self._hour.add(now, _account(price, step, share, span), step.gaps)

    def _cost(self, price: Rate, engines: tuple[Engine, ...]) -> Cost:
        total, gaps = self._hour.total(), self._hour.gaps()
        names = {engine.id: engine.model or engine.name or engine.id for engine in engines}
        best = self._best.tokens_per_s
        cost = Cost(
            basis=price.basis,
            usd_per_hour=price.usd_per_hour,
            reference_name=self._policy.reference_name,
            reference_usd_per_mtok=self._policy.reference_usd_per_mtok,
            watts=price.watts,
            kwh_per_mtok=_per_million(total.watt_hours / 1000.0, total.watt_tokens),
            measured_s=total.seconds,
            busy_s=total.busy_s,
            tokens=total.tokens if total.counted_s else None,
            best_tokens_per_s=best,
            partial=bool(gaps),
            gaps=tuple(CostGap(names.get(engine, engine), s) for engine, s in gaps.items()),
            needs=NEEDS_GPUS if price.basis == "rented" and not price.gpus else None,
        )
        if price.basis is not None:
            cost = cost._replace(
                usd_per_mtok_reserved=_per_million(total.usd, total.tokens),
                usd_per_mtok_busy=_per_million(total.busy_usd, total.busy_tokens),
                usd_per_mtok_best=_best_price(price.usd_per_hour, best),
                bounds=bounds(price, total, missing=bool(gaps)),
            )
        return cost._replace(explained=explained(cost, self._policy, price, total))


def active(snapshot: Snapshot) -> bool | None:
    """Whether requests run now; None where nobody says so."""
    count = None if snapshot.llm.stale else snapshot.llm.active
    return None if count is None else count > 0


def busy_share(before: bool | None, after: bool | None, tokens: float | None) -> float:
    """The part of a step (0-1) in which requests ran, from what its ends show.

    Work at both ends fills it; work at one end, or tokens alone, half of it: on average over
    bursts that begin and end anywhere that is the time they took. Ends of which nothing is known
    leave the tokens alone to judge by.
    """
    ends = [end for end in (before, after) if end is not None]
    if not ends:
        return 1.0 if tokens else 0.0
    share = sum(ends) / len(ends)
    return 0.5 if tokens and not share else share


def bounds(price: Rate, total: Account, *, missing: bool) -> CostBounds:
    """On which side of each figure the truth lies."""
    estimated = total.estimated_s > 0.0
    return CostBounds(
        usd_per_hour=_bound(price.at_least, False),
        usd_per_mtok_reserved=_bound(total.unmetered_s > 0.0, missing, estimated),
        usd_per_mtok_busy=_bound(
            total.unmetered_busy_s > 0.0, total.uncounted_busy_s > 0.0, estimated
        ),
        usd_per_mtok_best=_bound(price.at_least, missing, estimated),
    )


def priced(pricing: Pricing, cost: Cost) -> Pricing:
    """The pricing with the cost's public figures."""
    return pricing._replace(
        usd_per_hour=cost.usd_per_hour,
        usd_per_mtok_reserved=cost.usd_per_mtok_reserved,
        usd_per_mtok_busy=cost.usd_per_mtok_busy,
        usd_per_mtok_best=cost.usd_per_mtok_best,
        reference_name=cost.reference_name,
        reference_usd_per_mtok=cost.reference_usd_per_mtok,
        bounds=cost.bounds,
    )


def _bound(at_least: bool, at_most: bool, about: bool = False) -> Bound | None:
    if about or (at_least and at_most):
        return "about"
    return "at-least" if at_least else "at-most" if at_most else None


def _account(price: Rate, step: Step, share: float, span: float) -> Account:
    usd = (price.usd_per_hour or 0.0) * span / 3600.0
    tokens = step.tokens or 0.0
    return Account(
        seconds=span,
        usd=usd,
        tokens=tokens,
        counted_s=0.0 if step.tokens is None else span,
        estimated_s=span if step.estimated else 0.0,
        busy_s=share * span,
        busy_usd=share * usd,
        busy_tokens=tokens - step.late_tokens,
        uncounted_busy_s=share * span if step.gaps else 0.0,
        watt_hours=(price.watts or 0.0) * span / 3600.0,
        watt_tokens=0.0 if price.watts is None else tokens,
        unmetered_s=span if price.at_least else 0.0,
        unmetered_busy_s=share * span if price.at_least else 0.0,
    )


def _best_price(usd_per_hour: float | None, tokens_per_s: float | None) -> float | None:
    if usd_per_hour is None or tokens_per_s is None:
        return None
    return _per_million(usd_per_hour, tokens_per_s * 3600.0)


def _per_million(amount: float, tokens: float | None) -> float | None:
    """None where no token was made: no finite price fits."""
    value = amount / tokens * MILLION if tokens else None
    return value if known(value) else None
