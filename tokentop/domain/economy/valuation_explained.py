"""How an entry's credits were computed, in rows of (what, how much, where that comes from)."""

import json
from collections.abc import Callable, Mapping

from tokentop.domain.snapshot_engines import CostInput
from tokentop.domain.text import DASH
from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.domain.ledger.entry import Entry

Inputs = Mapping[str, object]


def explained(entry: "Entry", inputs: Inputs) -> tuple[CostInput, ...]:
    """The rows behind `entry.milli_credits`, the result last; `inputs` as they were booked."""
    how, rows = _WAYS[str(inputs["by"])]
    result = CostInput("credits", thousandths(entry.milli_credits), how)
    return (*rows(entry, inputs), *_live(inputs), result)


def _cache(*_: object) -> tuple[CostInput, ...]:
    return (CostInput("answered from the gateway's cache", "0", "no engine worked"),)


def _tokens(entry: "Entry", inputs: Inputs) -> tuple[CostInput, ...]:
    fresh = (entry.prompt or 0) - (entry.cached or 0)
    table = f"{inputs['model']} in the table “{inputs['tables']}”"
    return (
        CostInput("prompt tokens, not cached", str(fresh), entry.feed),
        CostInput("cached prompt tokens", _count(entry.cached), entry.feed),
        CostInput("generated tokens", _count(entry.generated), entry.feed),
        CostInput("credits per million prompt tokens", thousandths(inputs["input"]), table),
        CostInput("share of that for cached ones", thousandths(inputs["cached"]), table),
        CostInput("credits per million generated tokens", thousandths(inputs["output"]), table),
    )


def _compute(entry: "Entry", inputs: Inputs) -> tuple[CostInput, ...]:
    table = f"the table “{inputs['tables']}”"
    size = inputs.get("parameters")
    scale = f"{inputs['gpu']} in {table}" if "gpu" in inputs else "GPU price / reference × demand"
    return (
        *_gpu_time(entry),
        CostInput("share of the VRAM held", _share(entry.vram_share), _gpu_source(entry)),
        CostInput("compute units a second", thousandths(inputs["scale"]), scale),
        CostInput("bytes transferred", _count(entry.transfer_bytes), entry.feed),
        CostInput("credits per GB", thousandths(inputs["bandwidth"]), table),
        CostInput("billions of parameters", thousandths(size),
                  f"the model in {table}" if size else "not in the table: no complexity index"),
        CostInput("credits per 1,000 requests and billion", thousandths(inputs["complexity"]),
                  table),
    )  # fmt: skip


_WAYS: Mapping[str, tuple[str, Callable[["Entry", Inputs], tuple[CostInput, ...]]]] = {
    "cache": ("computed", _cache),
    "tokens": ("computed by tokens", _tokens),
    "compute": ("computed by GPU time", _compute),
}


def _gpu_time(entry: "Entry") -> tuple[CostInput, ...]:
    """The feed's own figure, or what it was computed from."""
    if entry.details is None:
        return (CostInput("GPU-seconds", thousandths(entry.gpu_ms), entry.feed),)
    known = json.loads(entry.details)
    return (
        CostInput("seconds from begin to end", thousandths(entry.duration_ms), entry.feed),
        CostInput("GPUs of the engine", str(known["gpus"]), _gpu_source(entry)),
        CostInput("requests at once, run or queued", thousandths(known["requests"]), "the engine"),
        CostInput("GPU-seconds", thousandths(entry.gpu_ms), "seconds × GPUs / requests"),
    )


def _gpu_source(entry: "Entry") -> str:
    return entry.feed if entry.details is None else "the GPUs' driver"


def _live(inputs: Inputs) -> tuple[CostInput, ...]:
    rows = (
        ("demand multiplier", "demand", 1000, "at that moment"),
        ("USD per GPU-hour", "gpu_hour", 10**6, inputs.get("gpu_hour_from") or "at that moment"),
        ("USD per hour of the reference GPU", "reference_hour", 10**6,
         f"the table “{inputs['tables']}”"),
    )  # fmt: skip
    return tuple(
        CostInput(what, decimal(inputs[name], unit), str(where))
        for what, name, unit, where in rows
        if inputs.get(name) is not None
    )


def _share(value: int | None) -> str:
    return "1" if value is None else thousandths(value)


def _count(value: int | None) -> str:
    return DASH if value is None else str(value)


def thousandths(value: object) -> str:
    """Thousandths as a decimal number, exactly: 1500 is 1.5."""
    return decimal(value, 1000)


def decimal(value: object, unit: int) -> str:
    """value / unit, a power of ten, exactly and without trailing zeros; a dash for None."""
    if not isinstance(value, int):
        return DASH
    digits = len(str(unit)) - 1
    whole, rest = divmod(abs(value), unit)
    fraction = f"{rest:0{digits}}".rstrip("0")
    return ("-" if value < 0 else "") + f"{whole}.{fraction}".rstrip(".")
