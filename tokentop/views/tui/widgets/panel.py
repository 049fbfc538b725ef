"""One panel of the screen: lines of styled spans, of which only changed cells are sent again.

Textual repaints what it is told to and does not compare cells, so every needless refresh goes
down the SSH link; the comparison happens here.
"""

from collections.abc import Sequence
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tokentop.domain.text import cell_width
from tokentop.views.tui.theme import StyleTable

Span = tuple[str, str]
Line = list[Span]

NEAR = 10  # cells; a cursor move with its style costs about 30 bytes


def _cells(line: Line) -> list[tuple[str, str]]:
    """One (text, style) a cell; a wide character takes two, the second one empty."""
    cells: list[tuple[str, str]] = []
    for text, style in line:
        if text.isascii():
            cells.extend((char, style) for char in text)
            continue
        for char in text:
            width = cell_width(char)
            if width == 0 and cells:  # a combining mark belongs to the cell before it
                cells[-1] = (cells[-1][0] + char, style)
                continue
            cells.append((char, style))
            cells.extend(("", style) for _ in range(width - 1))
    return cells


def changed_spans(old: Line, new: Line) -> list[tuple[int, int]]:
    """The stretches of cells that differ, as (first, one past the last), left to right.

    Stretches closer than NEAR are one: moving the cursor costs more than the cells between.
    """
    if old == new:
        return []
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):
        return [(0, max(len(before), len(after)))]
    spans: list[tuple[int, int]] = []
    for x, (a, b) in enumerate(zip(before, after, strict=True)):
        if a == b:
            continue
        start, end = _whole_character(before, after, x)
        if spans and start - spans[-1][1] < NEAR:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _whole_character(before: Sequence[Span], after: Sequence[Span], x: int) -> tuple[int, int]:
    """The cells around `x` that must be sent so that no wide character is cut."""
    start, end = x, x + 1
    while start > 0 and (before[start][0] == "" or after[start][0] == ""):
        start -= 1
    while end < len(after) and (before[end][0] == "" or after[end][0] == ""):
        end += 1
    return start, end


def changed_regions(old: Sequence[Line], new: Sequence[Line]) -> list[Region]:
    """The cells to send again; both pictures have the same height."""
    return [
        Region(start, y, end - start, 1)
        for y, (before, after) in enumerate(zip(old, new, strict=True))
        for start, end in changed_spans(before, after)
    ]


class Panel(Widget):
    """Shows the lines it is given; can be drawn without an app."""

    def __init__(self, panel: str, styles: StyleTable) -> None:
        super().__init__(id=panel)
        self.panel = panel
        self._table = styles
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line], styles: StyleTable) -> None:
        """Take new lines (exactly the panel's height) and refresh what changed."""
        old, self._lines = self._lines, lines
        if styles is not self._table or len(old) != len(lines):
            self._table = styles
            self.refresh()
        elif regions := changed_regions(old, lines):
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """The strip of row `y`; a row that is not there yet is blank."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        get = self._table.get
        none = get("text", Style.null())
        runs = groupby(self._lines[y], key=lambda span: span[1])  # a style is sent once a run
        return Strip(
            [Segment("".join(text for text, _ in run), get(style, none)) for style, run in runs],
            self.size.width,  # rows are exact: nothing is measured, nothing remembered
        )
