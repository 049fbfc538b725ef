"""The command palette with a plain prompt."""

from textual.app import App
from textual.command import CommandPalette, SearchIcon

from tokentop.views.tui.screens.overlay import Overlay
from tokentop.views.tui.terminal.palette import SteadyPalette


class Palette(SteadyPalette, Overlay):
    """Textual's, with a plain prompt for its emoji, whose width differs between terminals."""

    def on_mount(self) -> None:
        self.query_one(SearchIcon).icon = ">"


def open_over(app: App[int]) -> None:
    """Open it, unless it is open."""
    if not isinstance(app.screen, CommandPalette):
        app.push_screen(Palette(id="--command-palette"))
