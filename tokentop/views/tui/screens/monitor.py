"""The one screen behind every view: panels put exactly where the arrangement says."""

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from tokentop.views.tui import screen_model as scenes
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.terminal.minimal_updates import MinimalScreen
from tokentop.views.tui.theme import StyleTable
from tokentop.views.tui.widgets.panel import Panel

_MAIN = ("gpus", "engines", "engine", "costs")


class _Exact(Layout):
    """Puts each panel on its region; a panel without one is not on the screen."""

    name = "exact"

    def __init__(self) -> None:
        self.regions: dict[str, Region] = {}

    def arrange(
        self,
        parent: Widget,  # noqa: ARG002
        children: list[Widget],
        size: Size,  # noqa: ARG002  # the scene has taken it into account already
        greedy: bool = True,  # noqa: ARG002
    ) -> ArrangeResult:
        return [
            WidgetPlacement(region, Offset(), Spacing(), child)
            for child in children
            if (region := self.regions.get(child.id or ""))
        ]


class MonitorScreen(MinimalScreen, inherit_bindings=False):
    """Shows a scene; computes only the panels that can have changed."""

    def __init__(self, scene: ScreenModel, styles: StyleTable) -> None:
        super().__init__()
        self._scene = scene
        self._table = styles
        self._exact = _Exact()
        self._placements: tuple[Placement, ...] = ()
        self._panels: dict[str, Panel] = {}

    @property
    def layout(self) -> Layout:
        """Our own arrangement instead of one from a style sheet."""
        return self._exact

    def compose(self) -> ComposeResult:
        self._place(self.app.size)
        yield from self._panels.values()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.selections:
            self.clear_selection()
            event.stop()  # one step back a press
            event.prevent_default()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(event.size)
        self._draw(self._placements)

    def show(self, scene: ScreenModel, styles: StyleTable) -> None:
        """Show a new scene, arranging anew only if what must be on the screen changed."""
        self._scene, self._table = scene, styles
        self._arrange(self.size)
        self._draw(self._placements)

    def tick(self, scene: ScreenModel) -> None:
        """Move only ages, countdowns and the clock."""
        self._scene = scene
        self._draw(tuple(p for p in self._placements if scenes.ticking(scene, p)))

    def copyable(self, widget: Widget | None) -> Placement:
        """Where `widget` stands if it is a panel that is shown, else the view's main panel."""
        shown = {place.panel: place for place in self._placements}
        if isinstance(widget, Panel) and widget.panel in shown:
            return shown[widget.panel]
        main = [shown[panel] for panel in _MAIN if panel in shown]
        return main[0] if main else max(shown.values(), key=lambda p: p.width * p.height)

    @property
    def placed(self) -> tuple[Placement, ...]:
        """Where every panel stands now."""
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
        """Take the scene's placements for `size`; true when they are not what they were."""
        placements = scenes.placements(self._scene, size.width, size.height)
        if placements == self._placements:
            return False
        self.clear_selection()
        self._placements = placements
        self._exact.regions = {p.panel: Region(p.x, p.y, p.width, p.height) for p in placements}
        for place in placements:
            if place.panel not in self._panels:
                self._panels[place.panel] = Panel(place.panel, self._table)
        self._draw(placements)
        return True

    def _draw(self, placements: tuple[Placement, ...]) -> None:
        for place in placements:
            self._panels[place.panel].show(scenes.lines(self._scene, place), self._table)
