"""A line chart in braille dots with its scale, its times, and a cursor."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tokentop.domain.text import fmt_duration, known
from tokentop.views.tui.draw.kit.line import Line, block, exact, sentence

Ticks = Sequence[tuple[float, str]]

MIN_WIDTH, MIN_HEIGHT = 16, 3
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_MARK_EVERY_S = (60.0, 300.0, 600.0, 900.0)  # the first that leaves room between two times
_MARK_CELLS = 9  # a time's cells with the blanks around it


class Chart(NamedTuple):
    """What is drawn over the last `span_s` seconds.

    `values` returns as many equal slices of them as it is asked for. `ticks` are (value, label)
    pairs, the first and last are the scale's ends. `cursor_s`: the cursor, in seconds before now.
    """

    values: Callable[[int], Sequence[float | None]]
    ticks: Ticks
    style: str
    span_s: float
    cursor_s: float | None = None

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
    columns, rows = width - chart.labels, height - 1
    if width < MIN_WIDTH or height < MIN_HEIGHT or columns < 1:
        return block([], width, height)
    across, down = (1, 1) if ascii else (2, 4)
    values = chart.values(columns * across)
    if not any(map(known, values)):
        return sentence("Nothing to draw yet.", width, height)
    levels = [_level(chart, value, rows * down) for value in values]
    cells = _dotted(levels, columns, rows, (across, down))
    cursor = _column(chart, chart.cursor_s, columns)
    scale = _scale(chart, rows)
    drawn = [
        [(label, "dim"), *_pointed(row, cursor, chart.style)]
        for label, row in zip(scale, cells, strict=True)
    ]
    return block([*drawn, _times(chart, columns, cursor)], width, height)


def _level(chart: Chart, value: float | None, steps: int) -> int | None:
    """The dot that stands for a value, counted from the bottom."""
    bottom, top = chart.ticks[0][0], chart.ticks[-1][0]
    if not known(value) or top <= bottom:
        return None
    return round(max(0.0, min(1.0, (value - bottom) / (top - bottom))) * (steps - 1))


def _dotted(
    levels: Sequence[int | None], columns: int, rows: int, dots: tuple[int, int]
) -> list[str]:
    """`rows` strings of `columns` cells, `dots` dots across and down in each."""
    across, down = dots
    grid = [[0] * columns for _ in range(rows)]
    before: int | None = None
    for i, level in enumerate(levels):
        for dot in _stroke(before, level):
            y = rows * down - 1 - dot
            grid[y // down][i // across] |= _DOTS[i % across][y % down]
        before = level
    return ["".join(_glyph(bits, plain=down == 1) for bits in row) for row in grid]


def _stroke(before: int | None, level: int | None) -> range:
    """The dots of one slice: its level, and those between it and the level before."""
    if level is None:
        return range(0)
    if before is None or before == level:
        return range(level, level + 1)
    return range(before + 1, level + 1) if before < level else range(level, before)


def _glyph(bits: int, *, plain: bool) -> str:
    if not bits:
        return " "
    return "*" if plain else chr(0x2800 + bits)


def _scale(chart: Chart, rows: int) -> list[str]:
    """A row each: the label where a tick stands, the ruler everywhere."""
    room = chart.labels - 1
    ticks = chart.ticks if len(chart.ticks) <= rows else (chart.ticks[0], chart.ticks[-1])
    at: dict[int, str] = {}
    for value, label in ticks:
        at[rows - 1 - (_level(chart, value, rows) or 0)] = label
    return [at[y].rjust(room) + "┤" if y in at else " " * room + "│" for y in range(rows)]


def _column(chart: Chart, ago_s: float | None, columns: int) -> int | None:
    """The column in which a moment stands."""
    if ago_s is None or not 0 <= ago_s <= chart.span_s:
        return None
    return min(columns - 1, int((1 - ago_s / chart.span_s) * columns))


def _pointed(row: str, cursor: int | None, style: str) -> Line:
    """One row of the curve with the cursor in it; the curve stays visible under it."""
    if cursor is None:
        return [(row, style)]
    under = row[cursor]
    mark = ("│", "dim") if under == " " else (under, "selected")
    return [(row[:cursor], style), mark, (row[cursor + 1 :], style)]


def _times(chart: Chart, columns: int, cursor: int | None) -> Line:
    """The axis: round times under the columns in which they stand, and the cursor's own."""
    if cursor is not None and chart.cursor_s is not None:
        word = "-" + fmt_duration(chart.cursor_s)
        start = max(0, min(columns - len(word), cursor - len(word) // 2))
        words: Line = [(" " * (chart.labels + start), "dim"), (word, "selected")]
        return exact(words, chart.labels + columns)
    axis = [" "] * columns
    axis[-3:] = "now"
    every = next(
        (s for s in _MARK_EVERY_S if columns * s / chart.span_s >= _MARK_CELLS), chart.span_s
    )
    ago = every
    while ago < chart.span_s:
        word, at = f"-{ago / 60:.0f}m", _column(chart, ago, columns) or 0
        start = at - len(word) // 2
        if start >= 0 and at + len(word) < columns - 3:
            axis[start : start + len(word)] = word
        ago += every
    return [(" " * chart.labels + "".join(axis), "dim")]
