"""What help and the command palette have in common: each closes once."""

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.screen import Screen

from tokentop.views.tui.terminal.box_screen import BoxScreen

FRAME = "text"  # brighter than a panel's: what stands behind a box is not dimmed


class Overlay(Screen[None]):
    """A screen whose second dismissal does nothing.

    Textual pops whatever screen is on top, so a key or click that was queued before the screen
    closed would take the screen below it, or raise ScreenStackError where that is the last one.
    List this class after Textual's own: style sheets are inherited through the first base only.
    """

    def dismiss(self, result: None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()


async def open_overlay(app: App[int], screen: BoxScreen) -> None:
    """Show it as it is once its panel is there; before, it would blank the whole terminal."""
    with app.batch_update():
        await app.push_screen(screen)
    screen.draw_now()
