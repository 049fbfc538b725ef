"""Sends the changed cells, and renders no more widgets than have any.

Textual 8 keeps track of the changed spans but sends each row from the widget's left edge on
(`ChopsUpdate.render_segments` crops at the right only): a ticking clock costs a whole header.
"""

from collections.abc import Iterable, Iterator, Mapping

from rich.console import COLOR_SYSTEMS, Console, RenderableType
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.reactive import Reactive
from textual.screen import Screen
from textual.selection import SelectState
from textual.widget import Widget

from tokentop.light_typing import TYPE_CHECKING, cast
from tokentop.views.tui.terminal.picture import Picture, Piece

if TYPE_CHECKING:
    from tokentop.views.tui.terminal.app import TerminalApp


class MinimalUpdate(CompositorUpdate):
    """Pieces of the screen, of which the cells are sent that the terminal does not show."""

    def __init__(self, picture: Picture, pieces: Iterable[Piece]) -> None:
        self._picture = picture
        self._pieces = pieces

    def render_segments(self, console: Console) -> str:
        colors = COLOR_SYSTEMS.get(console.color_system or "")
        return self._picture.send(self._pieces, colors)


Update = RenderableType | CompositorUpdate | None


def minimal(update: Update, picture: Picture) -> Update:
    """The same update, to be sent cell by cell."""
    if isinstance(update, ChopsUpdate):
        return MinimalUpdate(picture, _changed(update))
    if isinstance(update, LayoutUpdate):
        return MinimalUpdate(picture, _whole(update))
    return update


def _changed(update: ChopsUpdate) -> Iterator[Piece]:
    """The dirty spans; Textual would send each row from the widget's left edge on."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            start, stop = max(x, x1), min(end, x2)
            if strip is not None and start < stop:
                yield y, start, strip.crop(start - x, stop - x)


def _whole(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield y, x, strip
            x += strip.cell_length


class MinimalCompositor(Compositor):
    """Textual's compositor; of a partial update it renders only the widgets that are touched."""

    def render_partial_update(self) -> ChopsUpdate | None:
        visible, dirty = self.visible_widgets, tuple(self._dirty_regions)
        self._cuts = self.cuts  # computed now, while every widget counts
        self._visible_widgets = touched(visible, dirty)
        try:
            return super().render_partial_update()
        finally:
            self._visible_widgets = visible


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

    def paint(self, changed: Mapping[Widget, Iterable[Region]]) -> None:
        """Draw these parts of these widgets, of a widget without any all of it.

        Textual passes each of them through two queues, draws with the next sixtieth of a second,
        and puts the whole screen together for that. Here a widget's rows are sent as they are, and
        now, where nothing covers them and none of them is moved.
        """
        if not changed:
            return
        visible = self._compositor.visible_widgets
        ready = self.is_active and not self.app._batch_count and not self._layout_required
        if ready and are_open(visible, changed):
            cast("TerminalApp", self.app).send_pieces(parts_of(visible, changed))
        else:
            for widget, regions in changed.items():
                widget.refresh(*regions)

    def arrange_again(self) -> None:
        """Ask the layout again where the children stand."""
        self._clear_arrangement_cache()  # `refresh` clears the caches of the parents only
        self.refresh(layout=True)


Visible = dict[Widget, tuple[Region, Region]]
Changed = Mapping[Widget, Iterable[Region]]


def are_open(visible: Visible, changed: Iterable[Widget]) -> bool:
    """Whether all of them are shown whole, with nothing in front of any.

    `visible` goes from the front to the back, with where each stands and what of it is shown.
    """
    before: list[Region] = []
    left = set(changed)
    for widget, (place, clip) in visible.items():
        if widget in left:
            if not clip.contains_region(place) or any(map(place.overlaps, before)):
                return False
            left.remove(widget)
            if not left:
                return True
        before.append(place)
    return not left


def parts_of(visible: Visible, changed: Changed) -> Iterator[Piece]:
    """The rows of these parts of the widgets, of a widget without any all of it."""
    for widget, regions in changed.items():
        place = visible[widget][0]
        for region in regions or (place.reset_offset,):
            rows = zip(region.line_range, widget.render_lines(region), strict=True)
            for y, strip in rows:
                yield place.y + y, place.x + region.x, strip


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
