"""What a request is worth in credits, and the inputs that a figure opens into.

value = compute units x GPU multiplier + transfer x bandwidth factor + complexity index. One compute
unit is one second of the whole reference GPU; with a share of its VRAM, that share. A model in the
table is valued by the table's prices of its tokens instead. All in integers: milli-credits,
thousandths of a factor.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from tokentop.domain.ledger.event import UsageEvent
from tokentop.named_tuple import NamedTuple

MTOK = 1_000_000
GB = 10**9


class ModelRate(NamedTuple):
    """Milli-credits per million tokens, for models whose names fit one of the patterns."""

    name: str
    match: tuple[str, ...]
    input: int
    output: int


class GpuRate(NamedTuple):
    """A GPU's speed in thousandths of the reference GPU's."""

    name: str
    match: tuple[str, ...]
    multiplier: int


class Tables(NamedTuple):
    """The price list. `name` says which one valued an entry.

    `cached` is what a cached prompt token costs, in thousandths of another one. `bandwidth` is in
    milli-credits per GB, `complexity` per 1,000 requests and billion parameters.
    `reference_micro_usd` is what an hour of the reference GPU lists for.
    """

    name: str
    models: tuple[ModelRate, ...] = ()
    gpus: tuple[GpuRate, ...] = ()
    cached: int = 100
    bandwidth: int = 0
    complexity: int = 100
    parameters: tuple[tuple[str, int], ...] = ()  # name pattern -> millions of parameters
    reference_micro_usd: int | None = None


class Live(NamedTuple):
    """Present prices: demand in thousandths, and micro-USD an hour of a GPU, with its `source`.

    Where one is unknown, so is every value that depends on it.
    """

    demand: int | None = None
    gpu_hour_micro_usd: int | None = None
    source: str | None = None


class Value(NamedTuple):
    """Milli-credits, and what they were computed from; both None where they are unknown."""

    milli_credits: int | None
    inputs: Mapping[str, object] | None


UNKNOWN = Value(None, None)


def value(event: UsageEvent, tables: Tables, live: Live | None = None) -> Value:
    """What one request is worth at list prices, or at the `live` ones."""
    if event.outcome == "cache-hit":
        return Value(0, {"by": "cache", "tables": tables.name})
    rate = find_model(event.model, tables)
    if rate is not None:
        return _by_tokens(event, rate, tables, live)
    return _by_compute(event, tables, live)


def find_model(model: str | None, tables: Tables) -> ModelRate | None:
    """The table's row for a model, by its name without the provider's prefix."""
    return next((row for row in tables.models if _fits(model, row.match)), None)


def find_gpu(gpu: str | None, tables: Tables) -> GpuRate | None:
    """The table's row for a GPU."""
    return next((row for row in tables.gpus if _fits(gpu, row.match)), None)


def _fits(name: str | None, patterns: tuple[str, ...]) -> bool:
    if name is None:
        return False
    last = name.lower().rpartition("/")[2]
    return any(fnmatchcase(last, pattern.lower()) for pattern in patterns)


def _by_tokens(event: UsageEvent, rate: ModelRate, tables: Tables, live: Live | None) -> Value:
    demand = live.demand if live else 1000
    if event.prompt is None or event.generated is None or demand is None:
        return UNKNOWN
    cached = event.cached or 0
    prompt = (event.prompt - cached) * 1000 + cached * tables.cached
    amount = (prompt * rate.input + event.generated * 1000 * rate.output) * demand
    inputs = {
        "by": "tokens", "tables": tables.name, "model": rate.name, "input": rate.input,
        "output": rate.output, "cached": tables.cached,
        "mode": live and "live", "demand": live and demand,
    }  # fmt: skip
    return Value(rounded(amount, MTOK * 1000 * 1000), inputs)


def _by_compute(event: UsageEvent, tables: Tables, live: Live | None) -> Value:
    """GPU time that was measured; the whole is unknown where the GPU or its time is."""
    scale, how = _gpu_scale(event, tables, live)
    if event.gpu_ms is None or scale is None or (tables.bandwidth and event.transfer_bytes is None):
        return UNKNOWN
    size = _parameters(event.model, tables)
    held = 1000 if event.vram_share is None else event.vram_share
    compute = rounded(event.gpu_ms * held * scale, 1000 * 1000)  # a GPU-millisecond: a milli-credit
    transfer = rounded((event.transfer_bytes or 0) * tables.bandwidth, GB)
    index = rounded((size or 0) * tables.complexity, 1000 * 1000)
    inputs = how | {
        "by": "compute", "tables": tables.name, "scale": scale, "bandwidth": tables.bandwidth,
        "complexity": tables.complexity, "parameters": size,
    }  # fmt: skip
    return Value(compute + transfer + index, inputs)


def _gpu_scale(
    event: UsageEvent, tables: Tables, live: Live | None
) -> tuple[int | None, dict[str, object]]:
    """Thousandths of a compute unit that a second of the GPU is, and where that comes from.

    Live, it is what the GPU costs now against the reference GPU's list price, times demand: a fixed
    multiplier is wrong as soon as rents move.
    """
    if live is None:
        row = find_gpu(event.gpu, tables)
        return (None, {}) if row is None else (row.multiplier, {"gpu": row.name})
    price, reference = live.gpu_hour_micro_usd, tables.reference_micro_usd
    if price is None or live.demand is None or not reference:
        return None, {}
    return rounded(price * live.demand, reference), {
        "mode": "live", "demand": live.demand, "gpu_hour": price, "gpu_hour_from": live.source,
        "reference_hour": reference,
    }  # fmt: skip


def _parameters(model: str | None, tables: Tables) -> int | None:
    """Millions of parameters of a model; None where no pattern fits its name."""
    return next((size for name, size in tables.parameters if _fits(model, (name,))), None)


def rounded(amount: int, unit: int) -> int:
    """amount / unit to the nearest whole number, halves to the even one."""
    whole, rest = divmod(amount, unit)
    return whole + (2 * rest > unit or (2 * rest == unit and whole % 2 == 1))
