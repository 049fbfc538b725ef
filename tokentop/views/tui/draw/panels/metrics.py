"""The metrics: base cost per request, active cloud instances, and two trends.

The multiplier's own figure stands in the banner alone, the queue and its trend beside the slots.
"""

from typing import NamedTuple

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import DASH, cell_width, fit, fmt_count, known
from tokentop.views.tui.draw.kit.format import per_hour
from tokentop.views.tui.draw.kit.glyphs import old
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    span_width,
)
from tokentop.views.tui.draw.kit.trend import GPU, MULTIPLIER, aligned, trend_line
from tokentop.views.tui.draw.layout import LARGE, MEDIUM, SMALL, STACK, Place
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, Places

_LABEL, _NAME, _FIGURE = 6, 12, 4  # cells of a trend's label, a metric's label, its figure
_COST = {True: ("base cost", "base"), False: ("request cost", "cost")}  # by: everything is free


class Metric(NamedTuple):
    """One cell: label, figure, a grey remark; `old` is the figure's age where it is stale."""

    label: str
    short: str
    figure: str
    style: str
    remark: str
    stale: bool = False
    old: str = ""


def metrics(snapshot: Snapshot, options: DrawOptions) -> tuple[Metric, ...]:
    """The cells, always in this order."""
    cloud, price = snapshot.cloud, snapshot.pricing
    active = DASH if cloud.active is None else fmt_count(cloud.active)
    cost, remark = base_cost(snapshot)
    rent = per_hour(cloud.usd_per_hour)
    cells = (
        _metric(*_COST[price.everything_free], cost, "bright", remark, price.stale),
        _metric("cloud", "cloud", active, "bright", rent, cloud.stale),
    )
    pairs = zip(cells, (price.age_s, cloud.age_s), strict=True)
    return tuple(c._replace(old=old(a, options)) if c.stale else c for c, a in pairs)


def _metric(label: str, short: str, figure: str, style: str, remark: str, stale: bool) -> Metric:
    """A cell; an unknown figure is a grey dash without a remark."""
    if figure == DASH:
        return Metric(label, short, figure, "dim", "", stale)
    return Metric(label, short, figure, style, remark, stale)


def base_cost(snapshot: Snapshot) -> tuple[str, str]:
    """What a request costs now, and its base cost; while everything is free, that it is."""
    price = snapshot.pricing
    if not known(price.base_cost_tokens):
        return DASH, ""
    base = fmt_count(price.base_cost_tokens)
    if price.everything_free:
        return "free", f"{base} cr"
    return fmt_count(price.effective_cost_tokens), f"cr, base {base}"


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """One row, or a row a metric with the trends below, in `height` lines of `width` cells."""
    cells = metrics(snapshot, options)
    if height < 3:
        return block([_row(cells, width)], width, height)
    rows = [_fact(metric, width) for metric in cells]
    trends = [trend_line(trend, width, options, _LABEL) for trend in aligned((MULTIPLIER, GPU))]
    apart: list[Line] = [[]] if height > len(rows) + len(trends) else []
    return block([*rows, *apart, *trends], width, height)


def _fact(metric: Metric, width: int) -> Line:
    """`cloud  2  $1.28/h`; where it is narrow the remark goes, an age is shortened."""
    label: Line = [(fit(metric.label, _NAME) + " ", "dim")]
    figure = fit(metric.figure, max(_FIGURE, cell_width(metric.figure)), "right")
    line = [*label, (figure, metric.style)]
    words = (metric.old, metric.old.partition(" ")[0]) if metric.old else (metric.remark, "")
    line.append(("  " + next((w for w in words if _fits(line, w, width)), ""), "dim"))
    return dimmed([line])[0] if metric.stale else line


def _fits(line: Line, words: str, width: int) -> bool:
    return span_width(line) + 2 + cell_width(words) <= width


def _row(cells: tuple[Metric, ...], width: int) -> Line:
    """Equal cells in one row, `cloud 2`."""
    room = width // len(cells)
    line: Line = []
    for metric in cells:
        if metric.old:
            line += _old(metric, room)
            continue
        label = metric.label if room >= 18 else metric.short
        part: Line = [(label + " ", "dim"), (metric.figure, metric.style)]
        if cell_width(label + metric.figure + metric.remark) + 4 <= room:
            part.append(("  " + metric.remark, "dim"))
        line += exact(part, room)
    return line


def _old(metric: Metric, room: int) -> Line:
    """A stale cell with its age; where it is narrow the label is shortened, then left out."""
    number, short = metric.figure, metric.old.partition(" ")[0]
    choices: list[Line] = [
        [(f"{label} ", "dim"), (number, metric.style), (f" {aged}", "dim")]
        for label, aged in (
            (metric.label, metric.old), (metric.short, metric.old), (metric.short, short),
        )
    ]  # fmt: skip
    choices.append([(number, metric.style), (f" {short}", "dim")])
    return dimmed([exact(first_fit(choices, room - 1), room)])[0]


def _ticks(snapshot: Snapshot) -> bool:
    return snapshot.cloud.stale or snapshot.pricing.stale


def _places(inputs: LayoutInputs) -> Places:
    """Beside capacity and cloud; on a medium screen one row, the first to go for engines' rows."""
    return (
        Place(LARGE, 4, (5, 7), "frame", contents=STACK, share=5),
        Place(MEDIUM, 13 if inputs.engines else 7, (1,), inset=1, contents=STACK),
        Place(SMALL, 7, (1,), inset=1, inset_from=30, contents=STACK),
    )


PANEL = Panel("metrics", lines, "metrics", places=_places, ticks=_ticks)
