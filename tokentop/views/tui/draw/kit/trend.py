"""Sparklines with the least and the most of what they show."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil

from tokentop.domain.history import Sample, series, span_of
from tokentop.domain.text import (
    DASH,
    cell_width,
    fit,
    fmt_count,
    fmt_multiplier,
    fmt_percent,
    known,
)
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.cells import sparkline
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, exact

_MOST_S = 1800.0
_LEAST_CELLS, _BETWEEN = 4, 3


class Trend(NamedTuple):
    """One figure over time: its label, how it is written, the scale's top (None: the most seen).

    `figure` and `extent` are the cells that its newest value and its least and most take.
    """

    label: str
    value: Callable[[Sample], float | None]
    write: Callable[[float | None], str]
    top: float | None = None
    figure: int = 5
    extent: int = 9


TOKENS = Trend("tok/s", lambda s: s.tokens_per_s, fmt.rate, None, 5, 10)
TTFT = Trend("TTFT p95", lambda s: s.ttft_p95_s, fmt.span, None, 6, 13)
KV = Trend("KV", lambda s: s.kv_cache, fmt_percent, 1.0)
QUEUE = Trend("queue", lambda s: s.queued, fmt_count, None, 6, 9)
MULTIPLIER = Trend("cost ×", lambda s: s.multiplier, lambda v: fmt_multiplier(v)[1:], None, 5, 9)
GPU = Trend("GPU", lambda s: s.gpu_utilization, fmt_percent, 1.0)
VRAM = Trend("VRAM", lambda s: s.vram_fraction, fmt_percent, 1.0)
DEMAND = Trend("demand", lambda s: s.utilization, fmt_percent, 1.0)


def span_s(options: DrawOptions) -> float:
    """The seconds that a sparkline covers now: half an hour at most."""
    return min(_MOST_S, span_of(options.samples, options.now))


def period(options: DrawOptions) -> str:
    """The same in words: `last 5 min`; empty where there is no history."""
    return f"last {span_s(options) / 60:.0f} min" if options.samples else ""


def extent(values: Sequence[float | None], write: Callable[[float | None], str]) -> str:
    """`least–most`, the unit once where both have the same; a dash where nothing is known."""
    found = [value for value in values if known(value)]
    if not found:
        return DASH
    least, most = write(min(found)), write(max(found))
    if least == most:
        return most
    for unit in (" ms", " s", "%"):
        if least.endswith(unit) and most.endswith(unit):
            least = least.removesuffix(unit)
    return f"{least}–{most}"


def trend_line(
    trend: Trend, width: int, options: DrawOptions, label: int = 0, newest: str | None = None
) -> Line:
    """`tok/s  1747 ▁▃▅▇ 0–1.9k` in `width` cells; `newest` is the figure that is shown, if any."""
    name = fit(trend.label, max(label, cell_width(trend.label)))
    figure = "" if newest is None else fit(newest, max(trend.figure, len(newest)), "right") + " "
    style = "dim" if newest == DASH else "bright"
    room = width - len(name) - len(figure) - trend.extent - 2
    if room < _LEAST_CELLS:
        return exact([(name + " ", "dim"), (figure, style)], width)
    drawn, reached = _drawn(trend, room, options)
    return exact(
        [
            (name + " ", "dim"),
            (figure, style),
            (drawn, "bar.line"),
            (" " + fit(reached, trend.extent), "dim"),
        ],
        width,
    )


def _drawn(trend: Trend, room: int, options: DrawOptions) -> tuple[str, str]:
    """The sparkline in `room` cells, and its least and most.

    Its cells stand for fixed stretches of time, so that old ones move on but never change.
    """
    covered = span_s(options)
    cell_s = covered / room
    end = ceil(options.now / cell_s) * cell_s
    values = series(options.samples, trend.value, end, covered, room)
    most = max((v for v in values if known(v)), default=None)
    line = sparkline(values, room, top=trend.top or most, ascii=options.ascii)
    start = options.now - covered
    exactly = [trend.value(s) for s in options.samples if s.t >= start]
    return line.replace("█", "▇"), extent(exactly, trend.write)  # a full row would touch the next


def aligned(trends: Sequence[Trend]) -> list[Trend]:
    """The same with cells enough for each other's figures, so that their sparklines align."""
    figure, reach = max(t.figure for t in trends), max(t.extent for t in trends)
    return [trend._replace(figure=figure, extent=reach) for trend in trends]


def trend_pairs(
    pairs: Sequence[tuple[Trend, Trend]],
    width: int,
    options: DrawOptions,
    newest: Mapping[str, str],
) -> list[Line]:
    """Two trends a row, which share what is left alike; `newest` are figures by label."""
    sides = [aligned(side) for side in zip(*pairs, strict=True)]
    labels = [max(cell_width(trend.label) for trend in side) for side in sides]
    spent = [n + side[0].figure + side[0].extent for n, side in zip(labels, sides, strict=True)]
    left = spent[0] + max(0, width - _BETWEEN - sum(spent)) // 2
    return [
        [
            *trend_line(a, left, options, labels[0], newest[a.label]),
            (" " * _BETWEEN, "text"),
            *trend_line(b, width - _BETWEEN - left, options, labels[1], newest[b.label]),
        ]
        for a, b in zip(*sides, strict=True)
    ]
