"""A simulated engine whose truth is known: when it worked, how fast, and what it counted when.

Times are seconds since the machine was switched on. The rows it gives are what the program's
engine rows would hold; prices are computed here from the work itself, never from the rows.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from tokentop.domain.economy.cost import CostMeter
from tokentop.domain.policy import CostPolicy
from tokentop.domain.snapshot import Gpu, Llm, Snapshot
from tokentop.domain.snapshot_engines import Cost, Engine, EngineState, TokensSeen

GPUS = (Gpu(0, power_w=300.0), Gpu(1, power_w=100.0))
RENTED = CostPolicy(usd_per_gpu_hour=2.0, gpus=2)  # 4 USD an hour
USD_PER_HOUR = 4.0


class Work(NamedTuple):
    """One request: tokens made evenly from `start` to `end`."""

    start: float
    end: float
    tokens: float

    def made(self, now: float) -> float:
        share = (now - self.start) / (self.end - self.start)
        return self.tokens * min(1.0, max(0.0, share))


def made(work: Iterable[Work], now: float, *, at_end: bool = False) -> float:
    """What the server's counter says; `at_end`: it counts a request's tokens when it ends."""
    if at_end:
        return sum(w.tokens for w in work if w.end <= now)
    return sum(w.made(now) for w in work)


def running(work: Iterable[Work], now: float) -> int:
    return sum(w.start <= now < w.end for w in work)


def busy_s(work: Iterable[Work], until: float) -> float:
    """Seconds with any work before `until`; the requests do not overlap."""
    return sum(max(0.0, min(w.end, until) - w.start) for w in work)


def row(
    total: float | None,
    *,
    state: EngineState = "online",
    name: str = "a",
    kind: str = "vllm",
    age_s: float = 0.1,
    latency_s: float = 0.01,
    rate: float | None = 1.0,
    **more: Any,
) -> Engine:
    """An engine's row with the tokens that it was seen to generate; its `rate` is of no account."""
    seen = None if total is None else TokensSeen(None, round(total))
    return Engine(
        name,
        kind,
        state=state,
        tokens_seen=seen,
        age_s=age_s,
        latency_ms=latency_s * 1000.0,
        generation_tokens_per_s=None if total is None else rate,
        **more,
    )


def snapshot(*engines: Engine, active: int | None = 0, gpus: Any = GPUS) -> Snapshot:
    return Snapshot(gpus=gpus, engines=engines, llm=Llm(active=active))


def metered(
    work: tuple[Work, ...],
    until: float,
    *,
    every_s: float = 4.0,
    policy: CostPolicy = RENTED,
    kind: str = "vllm",
    at_end: bool = False,
) -> Cost:
    """What the meter says after polling this work from 0 to `until`."""
    meter, now = CostMeter(policy), 0.0
    base = made(work, 0.0, at_end=at_end)
    while now <= until:
        total = None if now == 0.0 else made(work, now, at_end=at_end) - base
        engine = row(total, kind=kind)
        last = meter.price(snapshot(engine, active=running(work, now)), now)
        now += every_s
    return last.cost
