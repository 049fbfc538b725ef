"""The monitor's screen: every panel where the layout of the view places it."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from tokentop.views.tui import screen_model
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.terminal.minimal_updates import MinimalScreen
from tokentop.views.tui.theme import StyleTable
from tokentop.views.tui.widgets.panel import Panel

_MAIN = ("gpus", "engines", "engine", "costs")


class _PlacedLayout(Layout):
    """Puts each panel on its region; a panel without one is not shown."""

    name = "placed"

    def __init__(self) -> None:
        self.regions: dict[str, Region] = {}

    def arrange(
        self,
        parent: Widget,  # noqa: ARG002
        children: list[Widget],
        size: Size,  # noqa: ARG002  # the placements were made for it
        greedy: bool = True,  # noqa: ARG002
    ) -> ArrangeResult:
        return [
            WidgetPlacement(region, Offset(), Spacing(), child)
            for child in children
            if (region := self.regions.get(child.id or ""))
        ]


class MonitorScreen(MinimalScreen, inherit_bindings=False):
    """Shows a screen model; computes only the panels that can have changed."""

    def __init__(self, model: ScreenModel, styles: StyleTable) -> None:
        super().__init__()
        self._model = model
        self._style_table = styles
        self._layout = _PlacedLayout()
        self._placements: tuple[Placement, ...] = ()
        self._panels: dict[str, Panel] = {}

    @property
    def layout(self) -> Layout:
        """The placements instead of a layout from the style sheet."""
        return self._layout

    def compose(self) -> ComposeResult:
        self._place(self.app.size)
        yield from self._panels.values()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.selections:
            self.clear_selection()
            event.stop()  # a press of esc takes back one thing
            event.prevent_default()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(event.size)
        self._draw(self._placements)

    def show(self, model: ScreenModel, styles: StyleTable) -> None:
        """Show a new model; panels are placed again only if their placements changed."""
        self._model, self._style_table = model, styles
        self._arrange(self.size)
        self._draw(self._placements)

    def tick(self, model: ScreenModel) -> None:
        """Redraw only the panels with ages, countdowns or the clock."""
        self._model = model
        self._draw(tuple(p for p in self._placements if screen_model.ticking(model, p)))

    def copyable(self, widget: Widget | None) -> Placement:
        """Where `widget` stands if it is a panel that is shown, else the view's main panel."""
        shown = {place.panel: place for place in self._placements}
        if isinstance(widget, Panel) and widget.panel in shown:
            return shown[widget.panel]
        main = [shown[panel] for panel in _MAIN if panel in shown]
        return main[0] if main else max(shown.values(), key=lambda p: p.width * p.height)

    @property
    def placed(self) -> tuple[Placement, ...]:
        """The placements of the panels that are shown."""
        return self._placements

    def _arrange(self, size: Size) -> None:
        known = set(self._panels)
        if not self._place(size):
            return
        added = [panel for name, panel in self._panels.items() if name not in known]
        if added:
            self.mount_all(added)
        self.arrange_again()

    def _place(self, size: Size) -> bool:
        """Take the model's placements for `size`; true if they changed."""
        placements = screen_model.placements(self._model, size.width, size.height)
        if placements == self._placements:
            return False
        self.clear_selection()
        self._placements = placements
        self._layout.regions = {p.panel: Region(p.x, p.y, p.width, p.height) for p in placements}
        for place in placements:
            if place.panel not in self._panels:
                self._panels[place.panel] = Panel(place.panel, self._style_table)
        self._draw(placements)
        return True

    def _draw(self, placements: tuple[Placement, ...]) -> None:
        changed: dict[Widget, Sequence[Region]] = {}
        options = self._model.options
        for place in placements:
            panel = self._panels[place.panel]
            parts = panel.take(screen_model.lines(self._model, place, options), self._style_table)
            if parts is not None:
                changed[panel] = parts
        self.paint(changed)
