"""The names of `--format` as one table, with the figure behind each.

Sums and means leave out a GPU whose figure is unknown; None means that all are.
"""

from collections.abc import Callable, Iterable
from math import inf

from tokentop.domain import gpu_pool
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import SILENT_STATES
from tokentop.domain.spending import tightest, zero_in_s
from tokentop.domain.verdict import check
from tokentop.named_tuple import NamedTuple

Figure = float | int | str | None
GIB = 1024.0**3
GPU_SOURCES = ("nvml", "accel", "compute")


class Field(NamedTuple):
    """One name: whether it is a number, how it is shown with no format spec, and its value.

    A number's value may still be a word, such as `free` for the cost. `unit` is empty for a text,
    `means` one phrase for --help, the manual and the README.
    """

    number: bool
    spec: str
    get: Callable[[Snapshot], Figure]
    unit: str
    means: str


def gpu_util(snapshot: Snapshot) -> float | None:
    """Return the mean utilisation in per cent."""
    mean = gpu_pool.utilization(snapshot.gpus)
    return None if mean is None else 100 * mean


def vram(snapshot: Snapshot) -> tuple[float, float] | None:
    """Return (used, total) in GiB, summed over the pool."""
    sizes = gpu_pool.vram_bytes(snapshot.gpus)
    return None if sizes is None else (sizes[0] / GIB, sizes[1] / GIB)


def cost(snapshot: Snapshot) -> float | str | None:
    """Return the base cost of a request in tokens, the word `free`, or None where none is set."""
    base = snapshot.pricing.base_cost_tokens
    return "free" if base is not None and snapshot.pricing.everything_free else base


def effective_cost(snapshot: Snapshot) -> float | str | None:
    """Return the cost of a request at the present demand in tokens, else as `cost`."""
    base = cost(snapshot)
    return base if base is None or base == "free" else snapshot.pricing.effective_cost_tokens


def services_up(snapshot: Snapshot) -> int:
    return sum(online for _, online in snapshot.services_online)


def stale_age(snapshot: Snapshot) -> tuple[bool, float | None]:
    """Return whether anything a line shows is stale, and the greatest age known among that."""
    llm = snapshot.llm
    any_slots = (llm.active, llm.queued, llm.max_slots, llm.kv_cache) != (None,) * 4
    parts: Iterable[tuple[bool, float | None]] = (
        *((gpu.state == "stale", gpu.age_s) for gpu in snapshot.gpus),
        (llm.stale and any_slots, llm.age_s),
        (snapshot.cloud.stale, snapshot.cloud.age_s),
        (snapshot.demand.stale, snapshot.demand.age_s),
        (snapshot.pricing.stale, snapshot.pricing.age_s),
    )
    ages = [age for stale, age in parts if stale]
    return bool(ages), max((age for age in ages if age is not None), default=None)


def clock(snapshot: Snapshot) -> float | str | None:
    """Return the seconds that the tightest budget lasts, `never` where none of them burns."""
    budget = tightest(snapshot.ledger)
    left = None if budget is None else zero_in_s(budget)
    return "never" if left == inf else left


def budget(snapshot: Snapshot) -> str | None:
    """Return the project, user or team of the tightest budget."""
    found = tightest(snapshot.ledger)
    return found.who if found else None


def _vram_used(snapshot: Snapshot) -> float | None:
    pair = vram(snapshot)
    return pair[0] if pair else None


def _vram_total(snapshot: Snapshot) -> float | None:
    pair = vram(snapshot)
    return pair[1] if pair else None


def _vram_pct(snapshot: Snapshot) -> float | None:
    share = gpu_pool.vram_fraction(snapshot.gpus)
    return None if share is None else 100 * share


def _gpus(snapshot: Snapshot) -> int | None:
    answered = any(s.name in GPU_SOURCES and s.state == "online" for s in snapshot.services)
    in_service, count = gpu_pool.wholes(snapshot.gpus)
    return in_service if count or answered else None


def _models(snapshot: Snapshot) -> str | None:
    models = snapshot.llm.models
    return None if models is None else ",".join(models)


def _engines(snapshot: Snapshot) -> int:
    """How many engines answer; the Prometheus server that reports engines is not counted."""
    return sum(e.state not in SILENT_STATES and e.kind != "prometheus" for e in snapshot.engines)


FIELDS: dict[str, Field] = {
    "gpu_util": Field(True, ".0f", gpu_util, "%", "mean utilisation of the GPUs"),
    "vram_used": Field(True, ".1f", _vram_used, "GiB", "VRAM in use, summed over the GPUs"),
    "vram_total": Field(True, ".1f", _vram_total, "GiB", "VRAM there is, summed over the GPUs"),
    "vram_pct": Field(True, ".0f", _vram_pct, "%", "VRAM in use of what there is"),
    "active": Field(True, "", lambda s: s.llm.active, "requests", "running in slots"),
    "queued": Field(True, "", lambda s: s.llm.queued, "requests", "waiting for a slot"),
    "slots": Field(True, "", lambda s: s.llm.max_slots, "slots", "requests that can run at once"),
    "free": Field(True, "", lambda s: s.llm.free, "slots", "of these free now"),
    "kv": Field(
        True, ".2f", lambda s: s.llm.kv_cache, "0-1", "KV cache in use; that of the fullest engine"
    ),
    "multiplier": Field(
        True,
        ".2f",
        lambda s: s.pricing.multiplier,
        "factor",
        "what demand multiplies the base cost by",
    ),
    "tier": Field(
        False, "", lambda s: s.demand.tier, "", "idle, low, moderate, high, surge or saturated"
    ),
    "mode": Field(False, "", lambda s: s.demand.mode, "", "normal, pressure or saturated"),
    "message": Field(False, "", lambda s: s.demand.message, "", "the tier in a sentence"),
    "cost": Field(True, "g", cost, "credits", "base cost of a request, or the word free"),
    "cloud": Field(True, "", lambda s: s.cloud.active, "instances", "rented and active"),
    "gpus": Field(True, "", _gpus, "GPUs", "in service"),
    "models": Field(False, "", _models, "", "loaded now, joined by commas"),
    "services_up": Field(True, "", services_up, "services", "of the seven that answer"),
    "services_total": Field(True, "", lambda s: len(s.services_online), "services", "seven"),
    "gen_tps": Field(
        True, ".1f", lambda s: s.throughput.generation_tokens_per_s, "tokens/s", "generated"
    ),
    "prompt_tps": Field(
        True, ".1f", lambda s: s.throughput.prompt_tokens_per_s, "tokens/s", "of prompts read"
    ),
    "age": Field(True, ".0f", lambda s: s.data_age_s, "s", "since the newest good answer"),
    "host": Field(False, "", lambda s: s.host or None, "", "the name of this machine"),
    "ttft": Field(
        True,
        ".3f",
        lambda s: s.throughput.ttft_s,
        "s",
        "time to first token, median of the last minute",
    ),
    "itl": Field(
        True,
        ".3f",
        lambda s: s.throughput.itl_s,
        "s",
        "between two tokens, median of the last minute",
    ),
    "engines": Field(True, "", _engines, "engines", "that answer"),
    "usd_hour": Field(
        True, ".2f", lambda s: s.pricing.usd_per_hour, "USD/h", "what the machine costs now"
    ),
    "usd_mtok": Field(
        True,
        ".2f",
        lambda s: s.pricing.usd_per_mtok_reserved,
        "USD/Mtok",
        "for generated tokens, over all of the last hour",
    ),
    "usd_mtok_busy": Field(
        True,
        ".2f",
        lambda s: s.pricing.usd_per_mtok_busy,
        "USD/Mtok",
        "the same over busy time only",
    ),
    "headline": Field(False, "", lambda s: s.demand.headline, "", "the banner's sentence"),
    "health": Field(
        False, "", lambda s: s.health.state, "", "ok, starting, degraded, down or unknown"
    ),
    "alarm": Field(
        False, "", check.alarm, "", "DOWN FULL STARTING DEGRADED BUDGET SURGE; or empty"
    ),
    "effective_cost": Field(
        True,
        "g",
        effective_cost,
        "credits",
        "cost of a request at present, or the word free",
    ),
    "clock": Field(True, ".0f", clock, "s", "until the tightest budget is spent, or never"),
    "budget": Field(False, "", budget, "", "the project, user or team of that budget"),
    "today_usd": Field(
        True, ".2f", lambda s: s.ledger and s.ledger.today_usd, "USD", "booked in the ledger today"
    ),
    "today_credits": Field(
        True, ".1f", lambda s: s.ledger and s.ledger.today_credits, "credits", "the same in credits"
    ),
    "today_tokens": Field(
        True, "", lambda s: s.ledger and s.ledger.today_tokens, "tokens", "the same in tokens"
    ),
}
