"""ASCII for whatever Textual draws itself, such as the command palette's borders."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tokentop.views.tui.draw.kit.line import ascii_text


class AsciiFilter(LineFilter):
    """Stand-ins for what is no ASCII, cell for cell."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        return [Segment(ascii_text(text), style, control) for text, style, control in segments]
