"""Sends the changed cells of a row, and not everything left of them.

Textual 8 keeps track of the changed spans but sends each row from the widget's left edge on
(`ChopsUpdate.render_segments` crops at the right only), and closes every style before it opens
the same one again: a ticking clock costs a whole header.
"""

from collections.abc import Iterable
from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

_RESET = "\x1b[0m"


class MinimalUpdate(ChopsUpdate):
    """An update that is cropped at both ends of each span, with each style sent once a run."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        current = ""
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, x1), min(end, x2)
                if strip is not None and start < stop:
                    parts.append(f"\x1b[{y + 1};{start + 1}H")
                    current = _write(parts, strip.crop(start - x, stop - x), current, console)
        return "".join(parts) + (_RESET if current else "")


def _write(parts: list[str], strip: Strip, current: str, console: Console) -> str:
    """Append a strip's text to `parts`; takes and returns the style that is open."""
    for text, style, control in strip:
        if control:
            continue
        wanted = _opening(style, console._color_system) if style else ""
        if wanted != current:
            parts.append((_RESET if current else "") + wanted)
            current = wanted
        parts.append(text)
    return current


@lru_cache(512)
def _opening(style: Style, color_system: ColorSystem | None) -> str:
    """The sequence that turns a style on."""
    return style.render("\0", color_system=color_system).partition("\0")[0]


class MinimalCompositor(Compositor):
    """Textual's compositor with sparing partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        everybody, dirty = self.visible_widgets, tuple(self._dirty_regions)
        self._cuts = self.cuts  # they must come from every widget
        self._visible_widgets = touched(everybody, dirty)
        try:
            update = super().render_partial_update()
        finally:
            self._visible_widgets = everybody
        if update is None:
            return None
        return MinimalUpdate(update.chops, update.spans, update.chop_ends)


Shown = dict[Widget, tuple[Region, Region]]


def touched(shown: Shown, dirty: Iterable[Region]) -> Shown:
    """The widgets to render again: Textual would render all of them for a cell of one.

    `shown` goes from the front to the back; what is behind a whole dirty region is not seen.
    """
    wanted: set[Widget] = set()
    for region in dirty:
        for widget, (place, _) in shown.items():
            if place.overlaps(region):
                wanted.add(widget)
            if place.contains_region(region):
                break
    return {widget: where for widget, where in shown.items() if widget in wanted}
