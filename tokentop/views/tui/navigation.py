"""Sorting, scrolling, opening and going back: from one view state to the next."""

from collections.abc import Sequence

from tokentop.domain.hosts import HOST_SORTS, HostRow
from tokentop.domain.hosts import listed as listed_hosts
from tokentop.light_typing import TYPE_CHECKING, Any
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.panels.engines.rows import (
    Row,
    listed,
    moved,
    place_of,
    start_at,
)
from tokentop.views.tui.draw.panels.gpus import process_rows
from tokentop.views.tui.draw.sorts import BUDGET_SORTS, ENGINE_SORTS, GPU_SORTS, PROCESS_SORTS
from tokentop.views.tui.screen_model import ScreenModel
from tokentop.views.tui.state import PAGES, ViewState

if TYPE_CHECKING:
    from tokentop.views.tui.draw.panels.ledger.budget_rows import Row as BudgetRow

Shown = Sequence[Placement]
_BORDERS = {"frame": 2, "rule": 1, "bare": 0}  # rows of a place that its border takes
_OPENING = ("budgets", "ledger")  # views, besides the engines', whose rows open
# A table's sorts, and the names of what ViewState has of it.
_TABLES = {
    "engines": (ENGINE_SORTS, "engine_sort", "engine_reverse"),
    "gpus": (GPU_SORTS, "sort", "reverse"),
    "hosts": (HOST_SORTS, "host_sort", "host_reverse"),
    "budgets": (BUDGET_SORTS, "budget_sort", "budget_reverse"),
    "processes": (PROCESS_SORTS, "process_sort", "process_reverse"),
}


def table(model: ScreenModel) -> list[Row]:
    """The rows of the engines' view, all of them."""
    view = model.view
    return listed(
        model.snapshot.engines, view.engine_sort, view.filter, reverse=view.engine_reverse
    )


def processes(model: ScreenModel) -> list[process_rows.Row]:
    """The processes of the GPU page, all of them; none in another view."""
    if model.view.name != "gpus":
        return []
    return process_rows.rows(model.snapshot, model.options)


def selected_process(model: ScreenModel) -> process_rows.Row | None:
    """The process under the cursor of the GPU page."""
    found = processes(model)
    here = found[process_rows.place_of(found, model.view.process)] if found else None
    return here if here is not None and here.process is not None else None


def hosts(model: ScreenModel) -> list[HostRow]:
    """The hosts, all of them; none in another view."""
    view = model.view
    if view.name != "hosts":
        return []
    return listed_hosts(model.fleet, view.host_sort, view.filter, reverse=view.host_reverse)


def selected_host(model: ScreenModel) -> str | None:
    """The key of the host under the cursor."""
    from tokentop.views.tui.draw.panels import hosts as hosts_panel

    found = hosts(model)
    return found[hosts_panel.place_of(found, model.view.host)].key if found else None


def budgets(model: ScreenModel) -> "list[BudgetRow]":
    """The budgets, all of them; none in another view, or where one is opened."""
    if model.view.name != "budgets" or model.view.opened is not None:
        return []
    from tokentop.views.tui.draw.panels.ledger import budgets as budget_table

    return budget_table.rows_of(model.snapshot, model.options)


def selected_budget(model: ScreenModel) -> "BudgetRow | None":
    """The budget that is opened, else the one under the cursor of the budgets' view."""
    view = model.view
    if view.name != "budgets":
        return None
    if view.opened is not None:
        from tokentop.views.tui.draw.panels.ledger import project

        return next(iter(project.found(model.snapshot, view.opened)), None)
    from tokentop.views.tui.draw.panels.ledger.budget_rows import place_of as budget_place

    found = budgets(model)
    return found[budget_place(found, view.budget)] if found else None


def in_table(view: ViewState) -> bool:
    """Whether a cursor moves through the engines."""
    return view.name == "engines" and view.opened is None


def listing(view: ViewState) -> str:
    """The table that the keys of lists sort: the view's own, else the GPU pool."""
    return view.name if view.name in ("engines", "hosts", "budgets") else "gpus"


def resorted(view: ViewState, table: str) -> ViewState:
    """A table sorted by its next column."""
    sorts, sort, reverse = _TABLES[table]
    after = sorts[(sorts.index(getattr(view, sort)) + 1) % len(sorts)]
    return _changed(view, {sort: after, reverse: False})


def sorted_by(view: ViewState, table: str, by: str) -> ViewState:
    """A table sorted by a column; where it already is, reversed."""
    _, sort, reverse = _TABLES[table]
    again = getattr(view, sort) == by and not getattr(view, reverse)
    return _changed(view, {sort: by, reverse: again})


def reversed_order(view: ViewState, table: str) -> ViewState:
    """A table upside down."""
    reverse = _TABLES[table][2]
    return _changed(view, {reverse: not getattr(view, reverse)})


def _changed(view: ViewState, order: dict[str, Any]) -> ViewState:
    return view._replace(**order, offset=0)


def scrolled(model: ScreenModel, shown: Shown, rows: int) -> ViewState:
    """The cursor, or the list, `rows` further."""
    view = model.view
    if in_table(view):
        return _moved(model, shown, rows)
    if (listed := with_cursor(model, shown)) is not None:
        return _moved_cursor(view, listed, rows)
    last, _ = _scrolling(model, shown)
    return view.scrolled(min(view.offset, last) + rows, last)


def paged(model: ScreenModel, shown: Shown, pages: int) -> ViewState:
    """The same by pages, which overlap by one row."""
    return scrolled(model, shown, pages * max(1, _scrolling(model, shown)[1] - 1))


def to_end(model: ScreenModel, shown: Shown, end: int) -> ViewState:
    """The first row (0) or the last one (1)."""
    if in_table(model.view):
        return _moved(model, shown, len(table(model)) * (1 if end else -1))
    if (listed := with_cursor(model, shown)) is not None:
        return _moved_cursor(model.view, listed, len(listed.keys) * (1 if end else -1))
    last, _ = _scrolling(model, shown)
    return model.view.scrolled(end * last, last)


def _scrolling(model: ScreenModel, shown: Shown) -> tuple[int, int]:
    from tokentop.views.tui.scrolling import scrolling  # loads the panels of every view

    return scrolling(model, shown)


def _moved(model: ScreenModel, shown: Shown, rows: int) -> ViewState:
    """The cursor on another engine, the list scrolled as little as keeps it visible."""
    view, found = model.view, table(model)
    at = place_of(found, view.cursor)
    here = found[at].engine if found else None
    cursor = moved(found, here.id if here else None, rows)
    if cursor is None:
        return view
    _, room = _scrolling(model, shown)
    offset = start_at(len(found), room, view.offset, place_of(found, cursor))
    return view._replace(cursor=cursor, offset=offset)


class Listing(NamedTuple):
    """A list with a cursor: its rows' keys, the row under it, what ViewState calls it, its room."""

    keys: list[str]
    at: int
    cursor: str
    room: int


def with_cursor(model: ScreenModel, shown: Shown) -> Listing | None:
    """The list through which a cursor moves, besides the engines'; None where there is none."""
    view = model.view
    if found := processes(model):
        at = process_rows.place_of(found, view.process)
        room = max(1, process_room(shown, len(found)))
        return Listing([row.key for row in found], at, "process", room)
    if several := hosts(model):
        from tokentop.views.tui.draw.panels import hosts as hosts_panel

        at = hosts_panel.place_of(several, view.host)
        room = hosts_panel.rooms(len(several), host_lines(shown))
        return Listing([row.key for row in several], at, "host", room)
    if rows := budgets(model):
        from tokentop.views.tui.draw.panels.ledger.budget_rows import place_of as budget_place

        at = budget_place(rows, view.budget)
        return Listing([row.key for row in rows], at, "budget", _scrolling(model, shown)[1])
    if view.name == "ledger" and view.opened is None and model.page.rows:
        from tokentop.views.tui.draw.panels.ledger import entries as entry_table

        keys = [row.entry.identity for row in model.page.rows]
        at = entry_table.place_of(model.page, view.entry)
        return Listing(keys, at, "entry", _scrolling(model, shown)[1])
    return None


def _moved_cursor(view: ViewState, listed: Listing, rows: int) -> ViewState:
    """The cursor on another row, the list scrolled as little as keeps it visible."""
    at = max(0, min(len(listed.keys) - 1, listed.at + rows))
    offset = start_at(len(listed.keys), listed.room, view.offset, at)
    after: dict[str, Any] = {listed.cursor: listed.keys[at]}
    return view._replace(offset=offset, **after)


def host_lines(shown: Shown) -> int:
    """The lines within the border of the hosts' panel."""
    place = next((place for place in shown if place.panel == "hosts"), None)
    return 1 if place is None else place.height - _BORDERS[place.border]


def process_room(shown: Shown, count: int) -> int:
    """How many processes are shown of so many: without headings, and the position where cut."""
    place = next((place for place in shown if place.panel == "processes"), None)
    if place is None:
        return count
    room = place.height - (2 if place.border == "frame" else 1) - 1
    return room - (count > room > 1)


def selected(model: ScreenModel) -> str | None:
    """The id of the engine under the cursor of the engines' table."""
    if not in_table(model.view):
        return None
    found = table(model)
    here = found[place_of(found, model.view.cursor)].engine if found else None
    return here.id if here else None


def opened(model: ScreenModel, identity: str | None = None) -> ViewState:
    """One engine in full: `identity`, else the one under the cursor; the dashboard's reasons."""
    view = model.view
    if view.name == "dashboard":
        return view.named("why")
    if view.name in _OPENING:
        return _opened_row(model, identity)
    wanted = identity or selected(model)
    if not in_table(view) or wanted is None:
        return view
    return view._replace(opened=wanted, cursor=wanted, table_offset=view.offset, offset=0)


def _opened_row(model: ScreenModel, identity: str | None) -> ViewState:
    """The budget or the entry with that key, else the one under the cursor, in full."""
    view, listed = model.view, with_cursor(model, ())
    if listed is None:
        return view
    key = identity or listed.keys[listed.at]
    after: dict[str, Any] = {listed.cursor: key}
    return view._replace(opened=key, table_offset=view.offset, offset=0, **after)


def back(view: ViewState) -> ViewState:
    """One step back: from an engine to the table, from the costs, from a filter."""
    if view.opened is not None:
        return view._replace(opened=None, offset=view.table_offset)
    if view.name in PAGES:
        return view.named(view.previous)
    if view.moment is not None:
        return view._replace(moment=None)
    if view.span_s is not None:
        return view._replace(span_s=None, ends_at=None)
    return view._replace(filter="", filtering=False, offset=0)
