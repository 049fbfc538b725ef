"""The metric grid: queue depth, cost multiplier, base cost per request, active cloud instances."""

from typing import NamedTuple

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import DASH, cell_width, fit, fmt_count, fmt_multiplier, known
from tokentop.views.palette import tier_style
from tokentop.views.tui.draw.kit.format import per_hour
from tokentop.views.tui.draw.kit.glyphs import big, old
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    joined,
)
from tokentop.views.tui.draw.layout import LARGE, MEDIUM, SMALL, STACK, Place
from tokentop.views.tui.draw.panel import Panel

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
    """The four cells, always four and always in this order."""
    llm, cloud, price = snapshot.llm, snapshot.cloud, snapshot.pricing
    queue = DASH if llm.queued is None else fmt_count(llm.queued)
    active = DASH if cloud.active is None else fmt_count(cloud.active)
    cost, remark = base_cost(snapshot)
    accent = tier_style(snapshot.demand.tier)
    waiting = "queued" if llm.queued else "bright"
    factor, rent = fmt_multiplier(price.multiplier), per_hour(cloud.usd_per_hour)
    cells = (
        _metric("queue depth", "queue", queue, waiting, "waiting", llm.stale),
        _metric("multiplier", "cost", factor, accent, price.source, snapshot.demand.stale),
        _metric(*_COST[price.everything_free], cost, "bright", remark, price.stale),
        _metric("cloud", "cloud", active, "bright", rent, cloud.stale),
    )
    ages = (llm.age_s, snapshot.demand.age_s, price.age_s, cloud.age_s)
    pairs = zip(cells, ages, strict=True)
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
    """The grid in exactly `height` lines of `width` cells: one row, two by two, or large."""
    cells = metrics(snapshot, options)
    if height in (2, 3) and width < 52:
        return block([_row(cells[:2], width), _row(cells[2:], width)], width, height)
    if height < 4:
        return block([_row(cells, width)], width, height)
    tall = 4 if height >= 9 and width >= 36 else 2
    rooms = (width // 2, width - width // 2)
    drawn: list[Line] = []
    for pair in (cells[:2], cells[2:]):
        columns = [_cell(m, room, tall, options) for m, room in zip(pair, rooms, strict=True)]
        drawn += [[*a, *b] for a, b in zip(*columns, strict=True)]
        drawn += [[]] if height >= 2 * tall + 1 and pair is not cells[2:] else []
    return block(drawn, width, height)


def _cell(metric: Metric, width: int, tall: int, options: DrawOptions) -> list[Line]:
    label: Line = [(metric.label, "dim")]
    if metric.old:
        figure = cell_width(metric.figure if tall == 2 else big(metric.figure, options)[2])
        fits = figure + 2 + cell_width(metric.old) <= width
        metric = metric._replace(remark=metric.old if fits else metric.old.partition(" ")[0])
    if tall == 2:
        figures: list[Line] = [[(metric.figure, metric.style), ("  " + metric.remark, "dim")]]
    elif metric.figure == DASH or any(c.isalpha() for c in metric.figure):
        figures = [[], [(metric.figure, metric.style), ("  " + metric.remark, "dim")], []]
    else:
        figures = [[(row, metric.style)] for row in big(metric.figure, options)]
        figures[2] = [*figures[2], ("  " + metric.remark, "dim")]
    cell = [exact(line, width) for line in (label, *figures)]
    return dimmed(cell) if metric.stale else cell


def _row(cells: tuple[Metric, ...], width: int) -> Line:
    """Equal cells in one row, `queue depth 12`; where that is too narrow, the bare figures."""
    room = width // len(cells)
    if room < 13 and len(cells) == 4:
        return _tight(cells, width)
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


def _tight(cells: tuple[Metric, ...], width: int) -> Line:
    """`queue   4  ×5.10  base free  cloud 1`: the multiplier needs no label."""
    queue, cost, base, cloud = cells
    parts: list[Line] = [
        [("queue ", "dim"), (fit(queue.figure, 3, "right"), queue.style)],
        [(fit(cost.figure, 5, "right"), cost.style)],
        [("base ", "dim"), (base.figure, base.style)],
        [("cloud ", "dim"), (cloud.figure, cloud.style)],
    ]
    shown = [dimmed([p])[0] if m.stale else p for p, m in zip(parts, cells, strict=True)]
    short = [m.old.partition(" ")[0] for m in cells]
    if not any(short):
        return joined(shown)
    shown[2] = shown[2][1:]  # `free` and a number of credits need no label
    if len(set(short)) == 1:
        return joined([*shown, [(short[0], "stale")]])
    aged = [[*f, (f" {age}", "stale")] if age else f for f, age in zip(shown, short, strict=True)]
    return first_fit([joined(aged), joined(aged, " "), joined(shown)], width)


def _ticks(snapshot: Snapshot) -> bool:
    parts = (snapshot.demand, snapshot.llm, snapshot.cloud, snapshot.pricing)
    return any(part.stale for part in parts)


PANEL = Panel(
    "metrics",
    lines,
    "metrics",
    places=(
        Place(LARGE, 4, (5, 7, 8, 11), "frame", contents=STACK, share=4),
        Place(MEDIUM, 7, (1,), inset=1, contents=STACK),
        Place(SMALL, 7, (1,), inset=1, inset_from=30, contents=STACK),
    ),
    ticks=_ticks,
)
