"""What the fold is given of one engine: its last good reading, its rates, how its poll went."""

from typing import Literal, NamedTuple

from tokentop.domain.engines.quantiles import quantiles
from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import EngineReading
from tokentop.domain.readings import Failure


class Latency(NamedTuple):
    """One engine's quantiles over the last minute, seconds; named as in model.Engine."""

    ttft_s: float | None = None
    itl_s: float | None = None
    ttft_p95_s: float | None = None
    itl_p95_s: float | None = None


def latency(rates: Rates) -> Latency:
    """The quantiles; worth keeping from reading to reading, as they cost more than all else."""
    ttft = () if rates.ttft is None else (rates.ttft,)
    itl = () if rates.itl is None else (rates.itl,)
    first, first_p95 = quantiles(ttft, 0.5, 0.95)
    next_, next_p95 = quantiles(itl, 0.5, 0.95)
    return Latency(first, next_, first_p95, next_p95)


class EngineObservation(NamedTuple):
    """One engine at one moment; `url` is already safe, times are seconds.

    `outcome` is that of the latest poll, None before the first. `stuck_s` is for how long
    requests have run without any counter moving; `pids` are this host's, workers included.
    `starting`: its process runs, but does not listen yet. `lag_s` is how much of the age is no
    silence: the time since a fleet's server scraped it, as it was when that server answered.
    """

    id: str
    kind: str
    url: str | None = None
    name: str | None = None
    model_hint: str | None = None
    reading: EngineReading | None = None
    rates: Rates = Rates()
    age_s: float | None = None
    outcome: Literal["ok"] | Failure | None = None
    backing_off: bool = False
    latency_s: float | None = None
    stuck_s: float = 0.0
    pids: tuple[int, ...] = ()
    source: Literal["direct", "prometheus"] = "direct"
    group: str | None = None
    starting: bool = False
    latency: Latency | None = None  # of `rates`, where it was worked out before
    lag_s: float = 0.0
