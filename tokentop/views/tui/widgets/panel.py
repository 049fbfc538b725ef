"""One panel of the screen: lines of styled spans, of which only changed cells are sent again.

Textual repaints what it is told to and does not compare cells, so every needless refresh goes
down the SSH link; the comparison happens here.
"""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tokentop.domain.text import cell_width
from tokentop.views.tui.theme import StyleTable

Span = tuple[str, str]
Line = list[Span]


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


def changed_span(old: Line, new: Line) -> tuple[int, int] | None:
    """The first and one past the last cell that differ, or None where the lines are equal."""
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):
        return (0, max(len(before), len(after)))
    if before == after:
        return None
    start = next(i for i, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
    end = len(after)
    while before[end - 1] == after[end - 1]:
        end -= 1
    return _whole_characters(before, after, start, end)


def _whole_characters(
    before: Sequence[Span], after: Sequence[Span], start: int, end: int
) -> tuple[int, int]:
    while start > 0 and (before[start][0] == "" or after[start][0] == ""):
        start -= 1
    while end < len(after) and (before[end][0] == "" or after[end][0] == ""):
        end += 1
    return start, end


def changed_regions(old: Sequence[Line], new: Sequence[Line]) -> list[Region]:
    """One region a changed row; both pictures have the same height."""
    regions = []
    for y, (before, after) in enumerate(zip(old, new, strict=True)):
        if span := changed_span(before, after):
            regions.append(Region(span[0], y, span[1] - span[0], 1))
    return regions


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
        none = Style.null()
        get = self._table.get
        return Strip([Segment(text, get(style, none)) for text, style in self._lines[y]])
