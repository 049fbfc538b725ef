"""Any stretch of the past as charts of what there is: stack, engines, or GPUs."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, floor, log10

from tokentop.domain.history import Sample, sample_at, series, span_of
from tokentop.domain.past import Past
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import (
    DASH,
    fmt_count,
    fmt_duration,
    fmt_multiplier,
    fmt_percent,
    fmt_usd,
    known,
)
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.chart import Axis, Chart, Ticks, chart_lines
from tokentop.views.tui.draw.kit.format import at_least, demand_sign, lower_bound, span
from tokentop.views.tui.draw.kit.line import DrawOptions, Line
from tokentop.views.tui.draw.kit.time_axis import Local, marks, moment
from tokentop.views.tui.draw.panel import Panel

_TOP = 1e15  # of a scale: what a source claims beyond it is drawn at its edge
TickMaker = Callable[[Snapshot, Sequence[float]], Ticks]


class Measure(NamedTuple):
    """One chart: where its value comes from, how it is written, and its scale.

    `sign` is what the present value carries; samples do not know whether theirs were estimates.
    """

    title: str
    value: Callable[[Sample], float | None]
    write: Callable[[float | None], str]
    style: str
    ticks: TickMaker
    sign: Callable[[Snapshot, DrawOptions], str] = lambda _, __: ""


def _ratio_ticks(_: Snapshot, __: Sequence[float]) -> Ticks:
    return ((0.0, "0%"), (0.5, "50%"), (1.0, "100%"))


def _multiplier_ticks(snapshot: Snapshot, _: Sequence[float]) -> Ticks:
    low, high = snapshot.pricing.floor, snapshot.pricing.ceiling
    middle = (low + high) / 2
    return tuple((value, f"×{value:.1f}") for value in (low, middle, high))


def _queue_ticks(_: Snapshot, values: Sequence[float]) -> Ticks:
    most = 2.0 * ceil(min(max([*values, 4.0]), _TOP) / 2)  # even: so is the middle whole
    return ((0.0, "0"), (most / 2, fmt_count(most / 2)), (most, fmt_count(most)))


def _scaled(write: Callable[[float | None], str], least: float) -> TickMaker:
    """Ticks from 0 to an even number of a round step, so that the middle is round as well."""

    def ticks(_: Snapshot, values: Sequence[float]) -> Ticks:
        highest = min(max([*values, least]), _TOP)
        unit = 10.0 ** floor(log10(highest / 2))
        step = next(unit * n for n in (1, 2, 5, 10) if unit * n >= highest / 2)
        return ((0.0, "0"), (step, write(step)), (2 * step, write(2 * step)))

    return ticks


def _degrees(value: float | None) -> str:
    return DASH if value is None else f"{value:.0f}°"


def _watts(value: float | None) -> str:
    return DASH if value is None else f"{fmt_count(value)} W"


MEASURES: dict[str, Measure] = {
    "utilization": Measure(
        "Demand", lambda s: s.utilization, fmt_percent, "tier.moderate", _ratio_ticks,
        lambda snapshot, options: demand_sign(snapshot.demand, options),
    ),
    "multiplier": Measure(
        "Multiplier", lambda s: s.multiplier, fmt_multiplier, "tier.high", _multiplier_ticks
    ),
    "queue": Measure("Queue", lambda s: s.queued, fmt_count, "queued", _queue_ticks),
    "vram": Measure("VRAM", lambda s: s.vram_fraction, fmt_percent, "active", _ratio_ticks),
    "tokens": Measure(
        "Tokens per second", lambda s: s.tokens_per_s, fmt_count, "tier.moderate",
        _scaled(fmt_count, 20.0), lambda snapshot, options: lower_bound(snapshot.engines, options),
    ),
    "ttft": Measure(
        "Time to first token, p95", lambda s: s.ttft_p95_s, span, "tier.high", _scaled(span, 0.2)
    ),
    "kv": Measure(
        "KV cache", lambda s: s.kv_cache, fmt_percent, "active", _ratio_ticks,
        lambda snapshot, _: "≈" if snapshot.llm.kv_estimated else "",
    ),
    "gpu": Measure(
        "GPU utilisation", lambda s: s.gpu_utilization, fmt_percent, "tier.moderate", _ratio_ticks
    ),
    "power": Measure("Power", lambda s: s.power_w, _watts, "tier.high", _scaled(_watts, 100.0)),
    "usd": Measure(
        "USD per hour", lambda s: s.usd_per_hour, fmt_usd, "queued", _scaled(fmt_usd, 0.02),
        lambda snapshot, options: at_least(options, holds=bool(snapshot.cost.bounds.usd_per_hour)),
    ),
    "heat": Measure(
        "Hottest GPU", lambda s: s.temperature_c, _degrees, "queued",
        lambda _, __: ((20.0, "20°"), (60.0, "60°"), (100.0, "100°")),
    ),
}  # fmt: skip


def latest(name: str, samples: Sequence[Sample]) -> str:
    """The newest value of a measure, in words."""
    measure = MEASURES[name]
    return measure.write(measure.value(samples[-1])) if samples else DASH


def recorded(names: Sequence[str], samples: Sequence[Sample]) -> tuple[str, ...]:
    """Of these measures those that have had a value; the first four where none has yet."""
    found = tuple(
        name for name in names if any(known(MEASURES[name].value(s)) for s in reversed(samples))
    )
    return found or tuple(names[:4])


class Period(NamedTuple):
    """The samples that are drawn and the monotonic moments `now`, where they end, and `cursor`.

    With `span_s` they are the mean of a stretch of `past`, of which the cursor shows the extremes
    as well, and the axis has local times: Unix time is `wall_ahead_s` ahead.
    """

    samples: Sequence[Sample]
    now: float
    cursor: float | None = None
    span_s: float | None = None
    past: Past = Past()
    wall_ahead_s: float = 0.0
    local: Local = time.gmtime


def panel(measure: str, name: str, period: Period) -> Panel:
    """The panel `name` with a chart of one measure."""

    def inside(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        return lines(measure, snapshot, period, width, height, ascii=options.ascii)

    def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
        return _summary(measure, period, MEASURES[measure].sign(snapshot, options))

    return Panel(name, inside, MEASURES[measure].title, summary)


def _clock(period: Period) -> "tuple[Axis | None, str]":
    """The axis of a stretch of the past, and the cursor's own time on it."""
    span_s = period.span_s
    if span_s is None:
        return None, ""
    end, cursor = period.now + period.wall_ahead_s, period.cursor
    at = "" if cursor is None else moment(cursor + period.wall_ahead_s, span_s, period.local)
    return partial(marks, end, span_s, local=period.local), at


def _summary(name: str, period: Period, sign: str) -> Line:
    """The newest value, that of now with its sign; with a cursor the value under it."""
    if period.cursor is None:
        text = latest(name, period.samples)
        signed = sign + text if period.span_s is None and text != DASH else text
        return [(_newest(period), "dim"), (signed, "bright")]
    found, measure = sample_at(period.samples, period.cursor), MEASURES[name]
    text = measure.write(measure.value(found)) if found else DASH
    if period.span_s is not None:
        when = moment(period.cursor + period.wall_ahead_s, period.span_s, period.local)
        return [(f"{when} ", "dim"), (text, "selected"), (_extremes(measure, period), "dim")]
    ago = fmt_duration(period.now - period.cursor)
    return [(f"{ago} ago ", "dim"), (text, "selected")]


def _newest(period: Period) -> str:
    """When the newest value was: now, or in a stretch of the past its own time."""
    if period.span_s is None or not period.samples:
        return "now "
    at = period.samples[-1].t + period.wall_ahead_s
    return moment(at, period.span_s, period.local) + " "


def _extremes(measure: Measure, period: Period) -> str:
    """` 12%-98%` at the cursor, where the two differ."""
    at = period.cursor or 0.0
    ends = (sample_at(each, at) for each in (period.past.low, period.past.high))
    low, high = (measure.write(measure.value(end)) if end else DASH for end in ends)
    return "" if low == high else f" {low}-{high}"


def lines(
    name: str,
    snapshot: Snapshot,
    period: Period,
    width: int,
    height: int,
    *,
    ascii: bool = False,  # noqa: A002
) -> list[Line]:
    """One measure's chart in exactly `height` lines of `width` cells."""
    measure, (samples, now, cursor, *_) = MEASURES[name], period
    span_s = period.span_s or span_of(samples, now)
    values = [value for value in map(measure.value, samples) if known(value)]
    chart = Chart(
        partial(series, samples, measure.value, now, span_s),
        measure.ticks(snapshot, values),
        measure.style,
        span_s,
        None if cursor is None else now - cursor,
        *_clock(period),
    )
    return chart_lines(chart, width, height, ascii=ascii)
