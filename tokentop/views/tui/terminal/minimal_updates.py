"""Sends the changed cells of a row, and not everything left of them.

Textual 8 keeps track of the changed spans but sends each row from the widget's left edge on
(`ChopsUpdate.render_segments` crops at the right only), and closes every style before it opens
the same one again: a ticking clock costs a whole header.
"""

from collections.abc import Iterable
from functools import lru_cache

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.reactive import Reactive
from textual.screen import Screen
from textual.selection import SelectState
from textual.strip import Strip
from textual.widget import Widget

_RESET = "\x1b[0m"


class MinimalUpdate(ChopsUpdate):
    """An update that is cropped at both ends of each span, with each style sent once a run."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        current = ""
        colors = COLOR_SYSTEMS.get(console.color_system or "")
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, x1), min(end, x2)
                if strip is not None and start < stop:
                    parts.append(f"\x1b[{y + 1};{start + 1}H")
                    current = _write(parts, strip.crop(start - x, stop - x), current, colors)
        return "".join(parts) + (_RESET if current else "")


def _write(parts: list[str], strip: Strip, current: str, colors: ColorSystem | None) -> str:
    """Append a strip's text to `parts`; takes and returns the sequence of the style in force."""
    for text, style, control in strip:
        if control:
            continue
        wanted = _opening(style, colors) if style else ""
        if wanted != current:
            parts.append((_RESET if current else "") + wanted)
            current = wanted
        parts.append(text)
    return current


@lru_cache(512)
def _opening(style: Style, colors: ColorSystem | None) -> str:
    """The sequence that turns a style on."""
    return style.render("\0", color_system=colors).partition("\0")[0]


class MinimalCompositor(Compositor):
    """Textual's compositor with minimal partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        visible, dirty = self.visible_widgets, tuple(self._dirty_regions)
        self._cuts = self.cuts  # computed now, while every widget counts
        self._visible_widgets = touched(visible, dirty)
        try:
            update = super().render_partial_update()
        finally:
            self._visible_widgets = visible
        if update is None:
            return None
        return MinimalUpdate(update.chops, update.spans, update.chop_ends)


class MinimalScreen(Screen[None], inherit_bindings=False):
    """A screen that is sent cell by cell.

    Textual's own is sent whole (29 kB at 120x40) at every click and every step of a drag; here
    the widgets refresh what a selection changes, and nothing else does.
    """

    _select_state: Reactive[SelectState | None] = Reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._compositor = MinimalCompositor()

    def _watch__select_state(self, select_state: SelectState | None) -> None:
        if select_state is None:  # Textual's would refresh the screen
            self._selecting = False
        else:
            super()._watch__select_state(select_state)

    def arrange_again(self) -> None:
        """Ask the layout again where the children stand."""
        self._clear_arrangement_cache()  # `refresh` clears the caches of the parents only
        self.refresh(layout=True)


Visible = dict[Widget, tuple[Region, Region]]


def touched(visible: Visible, dirty: Iterable[Region]) -> Visible:
    """The widgets to render again: Textual would render all of them for a cell of one.

    `visible` goes from the front to the back; what a widget in front covers is not needed.
    """
    wanted: set[Widget] = set()
    for region in dirty:
        for widget, (place, _) in visible.items():
            if place.overlaps(region):
                wanted.add(widget)
            if place.contains_region(region):
                break
    return {widget: where for widget, where in visible.items() if widget in wanted}
