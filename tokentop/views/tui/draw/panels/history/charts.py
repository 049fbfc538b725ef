"""The last hour as charts of what there is: the stack's, the engines', or the GPUs' figures."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

from tokentop.domain.history import Sample, buckets
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import DASH, fmt_count, fmt_multiplier, fmt_percent, known
from tokentop.views.tui.draw.kit.chart import Chart, chart_lines
from tokentop.views.tui.draw.kit.format import span
from tokentop.views.tui.draw.kit.line import DrawOptions, Line
from tokentop.views.tui.draw.panel import Panel

SPAN_S = 3600.0
_SPANS_S = (300.0, 900.0, 1800.0, SPAN_S)  # a young history fills the chart, not its last corner

Ticks = Sequence[tuple[float, str]]
TickMaker = Callable[[Snapshot, Sequence[float]], Ticks]


class Measure(NamedTuple):
    """One chart: where its value comes from, how it is written, and its scale."""

    title: str
    value: Callable[[Sample], float | None]
    write: Callable[[float | None], str]
    style: str
    ticks: TickMaker


def _ratio_ticks(_: Snapshot, __: Sequence[float]) -> Ticks:
    return ((0.0, "0%"), (0.5, "50%"), (1.0, "100%"))


def _multiplier_ticks(snapshot: Snapshot, _: Sequence[float]) -> Ticks:
    low, high = snapshot.pricing.floor, snapshot.pricing.ceiling
    middle = (low + high) / 2
    return tuple((value, f"×{value:.1f}") for value in (low, middle, high))


def _queue_ticks(_: Snapshot, values: Sequence[float]) -> Ticks:
    most = 2.0 * ceil(max([*values, 4.0]) / 2)  # even, so that the middle is a whole number
    return ((0.0, "0"), (most / 2, fmt_count(most / 2)), (most, fmt_count(most)))


def _scaled(write: Callable[[float | None], str], least: float) -> TickMaker:
    """Ticks from 0 to an even number of a round step, so that the middle is round as well."""

    def ticks(_: Snapshot, values: Sequence[float]) -> Ticks:
        highest = max([*values, least])
        unit = 10.0 ** floor(log10(highest / 2))
        step = next(unit * n for n in (1, 2, 5, 10) if unit * n >= highest / 2)
        return tuple((step * i, write(step * i)) for i in range(3))

    return ticks


def _degrees(value: float | None) -> str:
    return DASH if value is None else f"{value:.0f}°"


def _watts(value: float | None) -> str:
    return DASH if value is None else f"{fmt_count(value)} W"


MEASURES: dict[str, Measure] = {
    "utilization": Measure(
        "Demand", lambda s: s.utilization, fmt_percent, "tier.moderate", _ratio_ticks
    ),
    "multiplier": Measure(
        "Multiplier", lambda s: s.multiplier, fmt_multiplier, "tier.high", _multiplier_ticks
    ),
    "queue": Measure("Queue", lambda s: s.queued, fmt_count, "queued", _queue_ticks),
    "vram": Measure("VRAM", lambda s: s.vram_fraction, fmt_percent, "active", _ratio_ticks),
    "tokens": Measure(
        "Tokens per second", lambda s: s.tokens_per_s, fmt_count, "tier.moderate",
        _scaled(fmt_count, 20.0),
    ),
    "ttft": Measure(
        "Time to first token, p95", lambda s: s.ttft_p95_s, span, "tier.high", _scaled(span, 0.2)
    ),
    "kv": Measure("KV cache", lambda s: s.kv_cache, fmt_percent, "active", _ratio_ticks),
    "gpu": Measure(
        "GPU utilisation", lambda s: s.gpu_utilization, fmt_percent, "tier.moderate", _ratio_ticks
    ),
    "power": Measure("Power", lambda s: s.power_w, _watts, "tier.high", _scaled(_watts, 100.0)),
    "heat": Measure(
        "Hottest GPU", lambda s: s.temperature_c, _degrees, "queued",
        lambda _, __: ((20.0, "20°"), (60.0, "60°"), (100.0, "100°")),
    ),
}  # fmt: skip


def span_of(samples: Sequence[Sample], now: float) -> float:
    """The shortest of 5, 15, 30 and 60 minutes that holds every sample, in seconds."""
    age = now - samples[0].t if samples else 0.0
    return next((span for span in _SPANS_S if age <= span), SPAN_S)


def latest(name: str, samples: Sequence[Sample]) -> str:
    """The newest value of a measure, in words."""
    measure = MEASURES[name]
    return measure.write(measure.value(samples[-1])) if samples else DASH


def panel(measure: str, name: str, samples: Sequence[Sample], now: float) -> Panel:
    """The panel `name` with a chart of one measure; `now` is monotonic seconds."""

    def inside(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        return lines(measure, snapshot, samples, now, width, height, ascii=options.ascii)

    def newest(_snapshot: Snapshot, _options: DrawOptions) -> Line:
        return [("now ", "dim"), (latest(measure, samples), "bright")]

    return Panel(name, inside, MEASURES[measure].title, newest)


def lines(
    name: str,
    snapshot: Snapshot,
    samples: Sequence[Sample],
    now: float,
    width: int,
    height: int,
    *,
    ascii: bool = False,  # noqa: A002
) -> list[Line]:
    """One measure's chart in exactly `height` lines of `width` cells."""
    measure = MEASURES[name]
    span_s = span_of(samples, now)
    count = max(1, width - 6)
    values = _held(buckets(samples, measure.value, now, span_s, count), samples, span_s)
    points = [((i + 1) / count * span_s - span_s, value) for i, value in enumerate(values)]
    ticks = measure.ticks(snapshot, [value for value in values if known(value)])
    chart = Chart(points, ticks, measure.style)
    return chart_lines(chart, width, height, span_s, ascii=ascii)


def _held(
    values: list[float | None], samples: Sequence[Sample], span_s: float
) -> list[float | None]:
    """Slices shorter than the time between two samples hold the value before them.

    A missing sample makes two known slices lie further apart than that: it stays a gap.
    """
    steps = sorted(b.t - a.t for a, b in pairwise(samples))
    usual = steps[len(steps) // 2] if steps else 0.0
    reach = 1.5 * usual / (span_s / max(1, len(values))) + 1
    filled = list(values)
    there = [i for i, value in enumerate(values) if value is not None]
    for left, right in pairwise(there):
        if 1 < right - left <= reach:
            filled[left + 1 : right] = [values[left]] * (right - left - 1)
    return filled
