"""The hosts of several `tokentop serve` side by side: one row each, and their totals."""

from collections.abc import Callable, Iterable, Sequence

from tokentop.domain import gpu_pool
from tokentop.domain.numbers import total
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import rates_at_least
from tokentop.domain.verdict.tiers import tier_word
from tokentop.domain.verdict.values import HealthState, Tier
from tokentop.named_tuple import NamedTuple

HOST_SORTS = ("name", "tier", "load", "multiplier", "GPUs", "VRAM", "queue", "tok/s", "cost", "age")
_TIERS: tuple[Tier | None, ...] = ("saturated", "surge", "high", "moderate", "low", "idle", None)


class HostRow(NamedTuple):
    """One host. `key` is its URL, `problem` why it is silent or has said nothing, in words.

    `gpus` is (in service, all), `vram` (used, total) in bytes, `load` the demand's utilisation
    0-1, `cost` USD an hour, `age_s` the age of its newest data. None is unknown; those that are
    lower bounds say so.
    """

    key: str
    name: str
    problem: str | None = None
    health: HealthState = "unknown"
    headline: str = ""
    tier: Tier | None = None
    load: float | None = None
    multiplier: float | None = None
    gpus: tuple[int, int] | None = None
    vram: tuple[int, int] | None = None
    active: int | None = None
    queued: int | None = None
    tokens_per_s: float | None = None
    cost: float | None = None
    age_s: float | None = None
    load_at_least: bool = False
    rate_at_least: bool = False
    cost_at_least: bool = False


class Totals(NamedTuple):
    """Sums over what is known of the hosts; `online` of `hosts` are heard."""

    hosts: int = 0
    online: int = 0
    gpus: tuple[int, int] = (0, 0)
    vram: tuple[int, int] | None = None
    active: int | None = None
    queued: int | None = None
    tokens_per_s: float | None = None
    cost: float | None = None
    rate_at_least: bool = False
    cost_at_least: bool = False


def host_row(key: str, name: str, s: Snapshot) -> HostRow:
    """The row of a host that is heard, as of its snapshot."""
    return HostRow(
        key=key,
        name=name,
        health=s.health.state,
        headline=s.demand.headline,
        tier=s.demand.tier,
        load=s.demand.utilization,
        multiplier=s.pricing.multiplier,
        gpus=gpu_pool.wholes(s.gpus) if s.gpus else None,
        vram=gpu_pool.vram_bytes(s.gpus),
        active=s.llm.active,
        queued=s.llm.queued,
        tokens_per_s=s.throughput.generation_tokens_per_s,
        cost=total([s.cost.usd_per_hour, s.cloud.usd_per_hour]),
        age_s=s.data_age_s,
        load_at_least=s.demand.at_least,
        rate_at_least=rates_at_least(s.engines),
        cost_at_least=s.cost.bounds.usd_per_hour is not None,
    )


def totals(rows: Sequence[HostRow]) -> Totals:
    """Over the hosts that are heard: what a silent one last said is of another moment."""
    heard = [row for row in rows if row.problem is None]
    return Totals(
        hosts=len(rows),
        online=len(heard),
        gpus=_pairs(row.gpus for row in heard) or (0, 0),
        vram=_pairs(row.vram for row in heard),
        active=total([row.active for row in heard]),
        queued=total([row.queued for row in heard]),
        tokens_per_s=total([row.tokens_per_s for row in heard]),
        cost=total([row.cost for row in heard]),
        rate_at_least=any(row.rate_at_least for row in heard),
        cost_at_least=any(row.cost_at_least for row in heard),
    )


def _pairs(pairs: Iterable[tuple[int, int] | None]) -> tuple[int, int] | None:
    known = [pair for pair in pairs if pair is not None]
    return (sum(a for a, _ in known), sum(b for _, b in known)) if known else None


def listed(
    rows: Iterable[HostRow], sort: str = "name", wanted: str = "", *, reverse: bool = False
) -> list[HostRow]:
    """The rows with every word of the filter, in the order of one column."""
    found = (row for row in rows if _matches(row, wanted))
    return sorted(found, key=_order(sort), reverse=reverse)


def _matches(row: HostRow, wanted: str) -> bool:
    tier = (row.tier, tier_word(row.tier)) if row.tier else ()  # as JSON and the screen say
    words = (row.name, row.key, *tier, row.health, row.headline, row.problem or "")
    text = " ".join(words).casefold()
    return all(word in text for word in wanted.casefold().split())


def _order(sort: str) -> Callable[[HostRow], tuple[object, ...]]:
    """Figures from the largest, the unknown last; the fullest tier first."""

    def key(row: HostRow) -> tuple[object, ...]:
        name = (row.name.casefold(), row.key)
        if sort == "name":
            return name
        if sort == "tier":
            return (_TIERS.index(row.tier), -(row.load or 0.0), *name)
        value = _figure(row, sort)
        return (value is None, -(value or 0.0), *name)

    return key


def _figure(row: HostRow, sort: str) -> float | None:
    vram = row.vram
    return {
        "load": row.load,
        "multiplier": row.multiplier,
        "GPUs": row.gpus[1] if row.gpus else None,
        "VRAM": vram[0] / vram[1] if vram and vram[1] else None,
        "queue": row.queued,
        "tok/s": row.tokens_per_s,
        "cost": row.cost,
        "age": row.age_s,
    }[sort]
