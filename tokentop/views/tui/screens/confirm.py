"""A question over the screen before something is done: each answer is a key, all others leave."""

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult

from tokentop.views.tui.draw.kit.line import Line
from tokentop.views.tui.screens.overlay import Overlay
from tokentop.views.tui.terminal.box_screen import BoxScreen
from tokentop.views.tui.theme import StyleTable
from tokentop.views.tui.widgets.panel import Panel

_WIDEST = 76


class ConfirmScreen(BoxScreen, Overlay, inherit_bindings=False):
    """Calls the function of the key in `answers`; every other key, and a click, only closes it.

    `draw` gives the question's lines for a width in cells.
    """

    def __init__(
        self,
        draw: Callable[[int], list[Line]],
        answers: Mapping[str, Callable[[], object]],
        styles: StyleTable,
    ) -> None:
        super().__init__()
        self._lines = draw
        self._answers = answers
        self._panel = Panel("help", styles)
        self._style_table = styles

    def compose(self) -> ComposeResult:
        yield self._panel

    def on_resize(self, event: events.Resize) -> None:
        width = min(_WIDEST, event.size.width)
        drawn = self._lines(width)
        self._panel.styles.width, self._panel.styles.height = width, len(drawn)
        self._panel.show(drawn, self._style_table)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        if self.is_active:
            self.dismiss()
            if event.key in self._answers:
                self._answers[event.key]()

    def on_click(self) -> None:
        self.dismiss()
