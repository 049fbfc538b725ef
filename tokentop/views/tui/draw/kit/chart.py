"""A chart of a figure over time, drawn by plotext, with a cursor over it.

plotext costs about 40 ms and 5 MB to import, so only the history view imports this module.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

import plotext

from tokentop.domain.text import fmt_duration, known
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.line import Line, block, sentence

Axis = Callable[[int], Sequence[tuple[float, str]]]
Ticks = Sequence[tuple[float, str]]

MIN_WIDTH, MIN_HEIGHT = 16, 3
_MARK_EVERY_S = (60.0, 120.0, 300.0, 600.0, 900.0)  # the first that leaves room between two times
_MARK_CELLS = 11  # a time's cells with the blanks around it
_KEPT = 12  # drawings: a screen of charts, which a tick or the cursor does not change


class Chart(NamedTuple):
    """What is drawn over the last `span_s` seconds.

    `values` returns as many equal slices of them as it is asked for. `ticks` are (value, label)
    pairs, the first and last are the scale's ends. `cursor_s`: the cursor, in seconds before now,
    and `cursor_at` its time in words. `axis` gives the marks below for a width in cells; None
    counts back from now.
    """

    values: Callable[[int], Sequence[float | None]]
    ticks: Ticks
    style: str
    span_s: float
    cursor_s: float | None = None
    axis: Axis | None = None
    cursor_at: str = ""

    @property
    def labels(self) -> int:
        """Cells of the scale, ruler included."""
        return max(len(label) for _, label in self.ticks) + 1


def chart_lines(
    chart: Chart,
    width: int,
    height: int,
    *,
    ascii: bool = False,  # noqa: A002
) -> list[Line]:
    """Exactly `height` lines of `width` cells; an unknown value is a gap, never a zero."""
    columns = width - chart.labels
    if width < MIN_WIDTH or height < MIN_HEIGHT or columns < 1:
        return block([], width, height)
    values = tuple(chart.values(columns if ascii else 2 * columns))  # one a dot
    if not any(map(known, values)):
        return sentence("Nothing to draw yet.", width, height)
    axis = _times(chart.span_s, width) if chart.axis is None else chart.axis(width)
    ticks = tuple(chart.ticks)
    rows = _plotted(values, ticks, chart.span_s, tuple(axis), (width, height), ascii)
    cursor = _column(chart, columns)
    drawn = [_pointed(row, chart, cursor) for row in rows[:-1]]
    times = [(rows[-1], "dim")] if cursor is None else _time(chart, columns, cursor)
    return block([*drawn, times], width, height)


@lru_cache(maxsize=_KEPT)
def _plotted(
    values: tuple[float | None, ...],
    ticks: tuple[tuple[float, str], ...],
    span_s: float,
    axis: tuple[tuple[float, str], ...],
    size: tuple[int, int],
    ascii: bool,  # noqa: A002
) -> list[str]:
    """plotext's rows: the curve beside its scale, the times below."""
    plotext.clear_figure()
    plotext.limit_size(False, False)  # the place decides, not the terminal this runs in
    plotext.plot_size(*size)
    for xs, ys in _runs(values, span_s):
        clipped = [min(max(y, ticks[0][0]), ticks[-1][0]) for y in ys]
        plotext.plot(xs, clipped, marker="*" if ascii else "braille")
    plotext.xaxes(False, False)
    plotext.yaxes(True, False)
    plotext.ylim(ticks[0][0], ticks[-1][0])
    plotext.yticks(*zip(*_shown(ticks, size[1] - 1), strict=True))
    plotext.xlim(-span_s, 0)
    if axis:
        plotext.xticks(*zip(*axis, strict=True))
    return str(plotext.uncolorize(plotext.build())).split("\n")[: size[1]]


def _runs(
    values: Sequence[float | None], span_s: float
) -> Iterator[tuple[list[float], list[float]]]:
    """The stretches of known values as x and y: plotext joins the points around a NaN."""
    step = span_s / max(1, len(values) - 1)
    points = [(i * step - span_s, value) for i, value in enumerate(values)]
    for is_known, run in groupby(points, lambda point: known(point[1])):
        if is_known:
            xs, ys = zip(*run, strict=True)
            yield list(xs), list(ys)


def _shown(ticks: Ticks, rows: int) -> list[tuple[float, str]]:
    """The ticks with labels of one width; the scale's ends alone where no row lies between two."""
    width = max(len(label) for _, label in ticks)
    fitting = ticks if 2 * len(ticks) - 1 <= rows else (ticks[0], ticks[-1])
    return [(value, label.rjust(width)) for value, label in fitting]


def _times(span_s: float, width: int) -> list[tuple[float, str]]:
    """Now, and the round times before it that leave each other room."""
    every = next((s for s in _MARK_EVERY_S if width * s / span_s >= _MARK_CELLS), span_s)
    before = [every * i for i in range(1, int(span_s / every) + 1) if every * i < span_s]
    return [(0.0, "now"), *((-ago, f"-{ago / 60:.0f}m") for ago in before)]


def _column(chart: Chart, columns: int) -> int | None:
    """The column of the cursor, by plotext's own rounding."""
    if chart.cursor_s is None or not 0 <= chart.cursor_s <= chart.span_s:
        return None
    return int((1 - chart.cursor_s / chart.span_s) * (columns - 1) + 0.5)


def _pointed(row: str, chart: Chart, cursor: int | None) -> Line:
    """One row of the curve with the cursor in it; the curve stays visible under it."""
    scale, curve = (row[: chart.labels], "dim"), row[chart.labels :]
    if cursor is None:
        return [scale, (curve, chart.style)]
    under = curve[cursor]
    mark = ("│", "dim") if under == " " else (under, "selected")
    return [scale, (curve[:cursor], chart.style), mark, (curve[cursor + 1 :], chart.style)]


def _time(chart: Chart, columns: int, cursor: int) -> Line:
    """The cursor's time under its column, instead of the axis."""
    word = chart.cursor_at or "-" + fmt_duration(chart.cursor_s or 0.0)
    start = max(0, min(columns - len(word), cursor - len(word) // 2))
    return [(" " * (chart.labels + start), "dim"), (word, "selected")]
