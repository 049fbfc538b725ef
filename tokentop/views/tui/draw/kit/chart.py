"""One chart over the last hour as lines of spans, drawn by plotext.

plotext costs about 40 ms and 5 MB to import, so only the views that draw charts import it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import plotext

from tokentop.domain.text import known
from tokentop.views.tui.draw.kit.line import Line, block, sentence

Point = tuple[float, float | None]  # seconds before now (0 or negative), value

MIN_WIDTH, MIN_HEIGHT = 16, 3
_MARKS = {False: "braille", True: "*"}


class Chart(NamedTuple):
    """What is drawn; `ticks` are (value, label) pairs, the first and last are the scale's ends."""

    points: Sequence[Point]
    ticks: Sequence[tuple[float, str]]
    style: str

    @property
    def bottom(self) -> float:
        return self.ticks[0][0]

    @property
    def top(self) -> float:
        return self.ticks[-1][0]


def chart_lines(
    chart: Chart,
    width: int,
    height: int,
    span_s: float,
    *,
    ascii: bool = False,  # noqa: A002
) -> list[Line]:
    """Exactly `height` lines of `width` cells; an unknown value is a gap, never a zero."""
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return block([], width, height)
    runs = tuple(_runs(chart.points))
    if not runs:
        return sentence("Nothing to draw yet.", width, height)
    text = _plotted(chart, runs, width, height, span_s, ascii)
    labels = max(len(label) for _, label in chart.ticks) + 1
    rows = [_spans(row, labels, chart.style) for row in text.split("\n")[:height]]
    return block(rows, width, height)


def _runs(points: Sequence[Point]) -> Iterator[tuple[list[float], list[float]]]:
    """The stretches of known values, as x and y lists."""
    xs: list[float] = []
    ys: list[float] = []
    for x, y in points:
        if known(y):  # plotext joins the points around a NaN as if they were neighbours
            xs.append(x)
            ys.append(y)
        elif xs:
            yield xs, ys
            xs, ys = [], []
    if xs:
        yield xs, ys


def _plotted(
    chart: Chart,
    runs: Sequence[tuple[list[float], list[float]]],
    width: int,
    height: int,
    span_s: float,
    ascii: bool,  # noqa: A002
) -> str:
    plotext.clear_figure()
    plotext.limit_size(False, False)  # the place decides, not the terminal this runs in
    plotext.plot_size(width, height)
    for xs, ys in runs:
        clipped = [min(max(y, chart.bottom), chart.top) for y in ys]
        plotext.plot(xs, clipped, marker=_MARKS[ascii])
    plotext.xaxes(False, False)
    plotext.yaxes(True, False)
    plotext.ylim(chart.bottom, chart.top)
    ticks = _ticks(chart, height - 1)
    plotext.yticks([value for value, _ in ticks], [label for _, label in ticks])
    plotext.xlim(-span_s, 0)
    marks = _time_marks(span_s)
    plotext.xticks([t for t, _ in marks], [label for _, label in marks])
    return str(plotext.uncolorize(plotext.build()))


def _ticks(chart: Chart, rows: int) -> list[tuple[float, str]]:
    """The ticks with labels of one width; the scale's ends alone where not each has a row."""
    width = max(len(label) for _, label in chart.ticks)
    fitting = chart.ticks if len(chart.ticks) <= rows else (chart.ticks[0], chart.ticks[-1])
    return [(value, label.rjust(width)) for value, label in fitting]


def _time_marks(span_s: float) -> list[tuple[float, str]]:
    minutes = span_s / 60
    return [(-span_s * part, f"-{minutes * part:.0f}m") for part in (0.75, 0.5, 0.25)] + [
        (0.0, "now")
    ]


def _spans(row: str, labels: int, style: str) -> Line:
    """Ruler and axis grey, the curve in its own colour."""
    head, body = row[:labels], row[labels:]
    words = any(char.isalnum() for char in body)
    return [(head, "dim"), (body, "dim" if words else style)]
