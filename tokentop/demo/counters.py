"""Counters of the simulated engines: the integrals of their load since they started.

The load repeats with every loop, so one loop's sums, made when they are first needed, are enough
for any moment.
"""

from collections.abc import Iterable
from functools import cache
from itertools import islice

from tokentop.demo.curve import LOOP_S
from tokentop.demo.engines import Engine, Load, load, started_at
from tokentop.light_typing import Final
from tokentop.named_tuple import NamedTuple

_STEP_S: Final = 6.0

TTFT_S: Final = (
    0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
ITL_S: Final = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5)
E2E_S: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 120.0, 240.0)
QUEUE_S: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0)


class Counted(NamedTuple):
    """Totals; each histogram as the counts of its bounds above, and of everything."""

    generated: float
    prompted: float
    prefix_hits: float
    stop: float
    length: float
    abort: float
    error: float
    preemptions: float
    ttft: tuple[float, ...]
    itl: tuple[float, ...]
    e2e: tuple[float, ...]
    queue: tuple[float, ...]
    slots: tuple[float, ...]  # tokens made in each, where the engine lists them


def counted(engine: Engine, t: float, seed: int) -> Counted:
    """Everything since the process began that runs at `t`; it does not fall while it runs."""
    now, began = _sums(engine, t, seed), _sums(engine, started_at(engine, t), seed)
    return _shaped([max(0.0, x - y) for x, y in zip(now, began, strict=True)])


def ended(load: Load) -> dict[str, float]:
    """Requests that end per second, by reason: users who wait give up."""
    gave_up = min(0.34, 0.015 + 0.05 * load.queue_s)
    shares = {"length": 0.07, "abort": gave_up, "error": 0.004}
    shares["stop"] = 1 - sum(shares.values())
    return {reason: share * load.requests_per_s for reason, share in shares.items()}


def below(bound_s: float, median_s: float) -> float:
    """The share of latencies up to a bound: a log-logistic distribution of shape 3."""
    part = median_s / bound_s
    return 1 / (1 + part * part * part)


def quantile(q: float, median_s: float) -> float:
    """The latency that a share `q` of requests does not exceed."""
    return float(median_s * (q / (1 - q)) ** (1 / 3))


def buckets(bounds: tuple[float, ...], median_s: float, count: float) -> tuple[float, ...]:
    """Cumulative counts of each bound, and of +Inf."""
    return (*(count * below(bound, median_s) for bound in bounds), count)


def _rates(engine: Engine, load: Load) -> list[float]:
    """What one second adds, in the order of Counted."""
    reasons, tokens, requests = ended(load), load.tokens_per_s, load.requests_per_s
    prompted = requests * engine.prompt
    flat = [
        tokens, prompted, prompted * 0.46,
        *(reasons[name] for name in ("stop", "length", "abort", "error")),
        0.05 * max(0.0, load.waiting - 0.9),
    ]  # fmt: skip
    for bounds, median_s, count in (
        (TTFT_S, load.ttft_s, requests), (ITL_S, load.itl_s, tokens),
        (E2E_S, load.e2e_s, requests), (QUEUE_S, load.queue_s, requests),
    ):  # fmt: skip
        flat += buckets(bounds, median_s, count)
    speed = 1 / load.itl_s if load.itl_s else 0.0
    return flat + [speed * (slot < load.active) for slot in _slots(engine)]


def _slots(engine: Engine) -> Iterable[int]:
    return range(engine.slots) if engine.kind == "llamacpp" else ()


def _shaped(flat: list[float]) -> Counted:
    figures = iter(flat)
    generated, prompted, hits, stop, length, abort, error, preemptions = islice(figures, 8)
    ttft, itl, e2e, queue = (
        tuple(islice(figures, len(bounds) + 1)) for bounds in (TTFT_S, ITL_S, E2E_S, QUEUE_S)
    )
    return Counted(
        generated, prompted, hits, stop, length, abort, error, preemptions,
        ttft, itl, e2e, queue, slots=tuple(figures),
    )  # fmt: skip


def _sums(engine: Engine, t: float, seed: int) -> list[float]:
    """The integrals from 0 to `t`, which may be before 0."""
    cycle, into = divmod(t, LOOP_S)
    place, part = divmod(into / _STEP_S, 1.0)
    table = _table(engine, seed)
    before, after, loop = table[int(place)], table[int(place) + 1], table[-1]
    return [
        x + (y - x) * part + cycle * whole for x, y, whole in zip(before, after, loop, strict=True)
    ]


@cache
def _table(engine: Engine, seed: int) -> tuple[tuple[float, ...], ...]:
    """The integrals at every step of one loop."""
    steps = int(LOOP_S / _STEP_S)
    sums = [0.0] * len(_rates(engine, load(engine, 0.0, seed)))
    table = [tuple(sums)]
    for step in range(steps):
        rates = _rates(engine, load(engine, (step + 0.5) * _STEP_S, seed))
        sums = [total + rate * _STEP_S for total, rate in zip(sums, rates, strict=True)]
        table.append(tuple(sums))
    return tuple(table)
