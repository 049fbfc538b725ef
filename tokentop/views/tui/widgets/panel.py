"""One panel of the screen: lines of styled spans, of which only changed cells are sent again."""

from collections.abc import Sequence
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tokentop.domain.text import cell_width
from tokentop.views.tui.draw.kit.line import Line, Span
from tokentop.views.tui.theme import StyleTable
from tokentop.views.tui.widgets.changes import changed_regions
from tokentop.views.tui.widgets.selection import highlighted, selected_text


class Panel(Widget):
    """Shows the lines it is given; can be drawn without an app. Its text can be selected."""

    def __init__(self, panel: str, styles: StyleTable) -> None:
        super().__init__(id=panel)
        self.panel = panel
        self._style_table = styles
        self._lines: Sequence[Line] = ()
        self._selection: Selection | None = None
        self._shown: Sequence[Line] = ()
        self._background: Color | None = None  # the theme's, as far as it is known

    def show(self, lines: Sequence[Line], styles: StyleTable) -> None:
        """Take new lines (exactly the panel's height) and refresh what changed."""
        if (changed := self.take(lines, styles)) is not None:
            self.refresh(*changed)

    def take(self, lines: Sequence[Line], styles: StyleTable) -> Sequence[Region] | None:
        """The same; returns what is to be drawn again: nothing (None), parts, or all (no part)."""
        self._lines = lines
        old, self._shown = self._shown, highlighted(self._lines, self._selection)
        if styles is not self._style_table or len(old) != len(self._shown):
            self._style_table, self._background = styles, None
            return ()
        return changed_regions(old, self._shown) or None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows to draw, past the cache in which Textual combines a row with its style sheet.

        A panel's rows have all their styles, and no border or padding but those drawn in them.
        """
        whole = crop.column_span == (0, self.size.width)
        strips = [
            self._row(y) if whole else self._part(y, *crop.column_span) for y in crop.line_range
        ]
        for one in self.get_line_filters():
            self._background = background = self._background or self.background_colors[1]
            strips = [strip.apply_filter(one, background) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """The strip of row `y`, with the offsets that the mouse needs.

        Offsets are part of a segment's style: with them every segment has a style of its own,
        which costs 0.7 ms (80x24) to 2.5 ms (200x60) a picture.
        """
        return self._row(y).apply_offsets(0, y)

    def _row(self, y: int) -> Strip:
        """The strip of row `y`; a row that is not there yet is blank."""
        if y >= len(self._shown):
            return Strip.blank(self.size.width)
        return self._strip(self._shown[y], self.size.width)

    def _part(self, y: int, first: int, end: int) -> Strip:
        """Of row `y` the cells from `first` to before `end`; spans beside them cost nothing."""
        if y >= len(self._shown):
            return Strip.blank(end - first)
        x = start = stop = 0
        spans: list[Span] = []
        for span in self._shown[y]:
            x, before = x + cell_width(span[0]), x
            if before < end and x > first:
                spans.append(span)
                start, stop = (before if len(spans) == 1 else start), x
        strip = self._strip(spans, stop - start)
        return strip if (start, stop) == (first, end) else strip.crop(first - start, end - start)

    def _strip(self, spans: Line, width: int) -> Strip:
        get = self._style_table.get
        none = get("text", Style.null())
        runs = groupby(spans, key=lambda span: span[1])  # a style is sent once a run
        return Strip(
            [Segment("".join(text for text, _ in run), get(style, none)) for style, run in runs],
            width,  # rows are exact: nothing is measured, nothing remembered
        )

    # -- selecting with the mouse

    def selection_updated(self, selection: Selection | None) -> None:
        """Highlight another selection; called by the screen while the mouse is dragged."""
        self._selection = selection
        self.show(self._lines, self._style_table)

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """The selected text, and what separates it from the next panel's."""
        return selected_text(self._lines, selection), "\n"
