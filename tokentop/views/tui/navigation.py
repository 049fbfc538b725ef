"""Sorting, scrolling, opening and going back: what a key makes of the view, as plain functions."""

from collections.abc import Sequence

from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.panels.engines.rows import (
    ENGINE_SORTS,
    Row,
    listed,
    moved,
    place_of,
    start_at,
)
from tokentop.views.tui.draw.panels.footer import HINTS
from tokentop.views.tui.draw.panels.gpus.rows import SORTS
from tokentop.views.tui.keys import KEYS
from tokentop.views.tui.screen_model import ScreenModel, edges, lines, scrolling
from tokentop.views.tui.state import ViewState

Shown = Sequence[Placement]
_OPENS = {
    "gpus": "view('gpus')",
    "history": "view('history')",
    "multiplier": "view('history')",
    "engines": "view('engines')",
    "tokens": "view('costs')",
}


def table(scene: ScreenModel) -> list[Row]:
    """The rows of the engines' view, all of them."""
    view = scene.view
    return listed(scene.snapshot.engines, view.engine_sort, view.filter)


def in_table(view: ViewState) -> bool:
    """True where a cursor moves through the engines."""
    return view.name == "engines" and view.opened is None


def resorted(view: ViewState) -> ViewState:
    """The list that is looked at, by its next column."""
    if view.name == "engines":
        after = ENGINE_SORTS[(ENGINE_SORTS.index(view.engine_sort) + 1) % len(ENGINE_SORTS)]
        return view._replace(engine_sort=after, offset=0)
    after = SORTS[(SORTS.index(view.sort) + 1) % len(SORTS)]
    return view._replace(sort=after, offset=0)


def scrolled(scene: ScreenModel, shown: Shown, rows: int) -> ViewState:
    """The cursor, or the list, `rows` further."""
    view = scene.view
    if in_table(view):
        return _moved(scene, shown, rows)
    last, _ = scrolling(scene, shown)
    return view.scrolled(min(view.offset, last) + rows, last)


def paged(scene: ScreenModel, shown: Shown, pages: int) -> ViewState:
    """The same by pages, one row seen on both."""
    return scrolled(scene, shown, pages * max(1, scrolling(scene, shown)[1] - 1))


def to_end(scene: ScreenModel, shown: Shown, end: int) -> ViewState:
    """The first row (0) or the last one (1)."""
    if in_table(scene.view):
        return _moved(scene, shown, len(table(scene)) * (1 if end else -1))
    last, _ = scrolling(scene, shown)
    return scene.view.scrolled(end * last, last)


def _moved(scene: ScreenModel, shown: Shown, rows: int) -> ViewState:
    """The cursor on another engine, the window following it no further than it must."""
    view, found = scene.view, table(scene)
    at = place_of(found, view.cursor)
    here = found[at].engine if found else None
    cursor = moved(found, here.id if here else None, rows)
    if cursor is None:
        return view
    _, room = scrolling(scene, shown)
    offset = start_at(len(found), room, view.offset, place_of(found, cursor))
    return view._replace(cursor=cursor, offset=offset)


def opened(scene: ScreenModel, identity: str | None = None) -> ViewState:
    """One engine in full: the one named, else the one under the cursor."""
    view = scene.view
    if not in_table(view):
        return view
    found = table(scene)
    here = found[place_of(found, view.cursor)].engine if found else None
    wanted = identity or (here.id if here else None)
    if wanted is None:
        return view
    return view._replace(opened=wanted, cursor=wanted, kept=view.offset, offset=0)


def back(view: ViewState) -> ViewState:
    """One step back: out of an engine, out of the costs, out of a filter."""
    if view.opened is not None:
        return view._replace(opened=None, offset=view.kept)
    if view.name == "costs":
        return view.named(view.before)
    return view._replace(filter="", filtering=False, offset=0)


def engine_at(scene: ScreenModel, place: Placement, y: int) -> str | None:
    """The engine drawn in row `y` of the table's place."""
    found, (above, below) = table(scene), edges(place)
    room = place.height - above - below
    if len(found) > room > 1:
        room -= 1
    start = start_at(len(found), room, scene.view.offset, place_of(found, scene.view.cursor))
    at = start + y - place.y - above
    hit = found[at].engine if above <= y - place.y < above + room and at < len(found) else None
    return hit.id if hit else None


def click(scene: ScreenModel, shown: Shown, x: int, y: int) -> str | None:
    """The action that a click on a cell means, if any."""
    for place in shown:
        if place.x <= x < place.x + place.width and place.y <= y < place.y + place.height:
            if place.panel == "footer":
                return _hint(scene, place, x - place.x)
            if place.panel == "engines" and scene.view.name == "engines":
                identity = engine_at(scene, place, y)
                return f"open({identity!r})" if identity else None
            return _OPENS.get(place.panel) if scene.view.name == "dashboard" else None
    return None


def _hint(scene: ScreenModel, place: Placement, x: int) -> str | None:
    """The action of the key hint under a cell of the footer."""
    text = "".join(part for part, _ in lines(scene, place)[0])
    for key, word in HINTS:
        start = text.find(f" {key} {word}")
        if 0 <= start < x <= start + len(key) + len(word) + 1:
            return next((k.action for k in KEYS if key[0] in k.shown.split()), None)
    return None
