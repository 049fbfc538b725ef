"""What a click on a cell means: the action of a hint, a heading, a row or a panel."""

from tokentop.views.tui.draw.layout import Placement, edges
from tokentop.views.tui.draw.panels import hosts as hosts_panel
from tokentop.views.tui.draw.panels import timeline
from tokentop.views.tui.draw.panels.engines import table as engines
from tokentop.views.tui.draw.panels.engines.rows import place_of, start_at
from tokentop.views.tui.draw.panels.footer import hints
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.gpus import process_rows
from tokentop.views.tui.draw.panels.gpus import processes as process_table
from tokentop.views.tui.draw.panels.ledger import budgets as budget_table
from tokentop.views.tui.draw.registry import DASHBOARD
from tokentop.views.tui.keys import KEYS, REPLAY_KEYS
from tokentop.views.tui.navigation import (
    Shown,
    host_lines,
    hosts,
    process_room,
    processes,
    table,
    with_cursor,
)
from tokentop.views.tui.screen_model import ScreenModel, lines


def click(model: ScreenModel, shown: Shown, x: int, y: int) -> str | None:
    """The action that a click on a cell means, if any."""
    for place in shown:
        if place.x <= x < place.x + place.width and place.y <= y < place.y + place.height:
            if place.panel == "footer":
                return _hint(model, place, x - place.x)
            if (sort := _heading(model, place, x, y)) is not None:
                return f"sort_by({place.panel!r}, {sort!r})"
            if place.panel == "timeline":
                fraction = timeline.fraction_at(x - place.x, place.width)
                return None if fraction is None else f"go_to({fraction})"
            if place.panel == "processes" and model.view.name == "gpus":
                return _on_processes(model, shown, place, x, y)
            if place.panel == "engines" and model.view.name == "engines":
                identity = _engine_at(model, place, y)
                return f"open({identity!r})" if identity else None
            if place.panel == "hosts":
                return _on_hosts(model, place, x, y)
            if (at := _ledger_row(model, shown, place, y)) is not None:
                return f"open_row({at})"
            opened = DASHBOARD.get(place.panel) if model.view.name == "dashboard" else None
            return f"view({opened.opens!r})" if opened and opened.opens else None
    return None


def _engine_at(model: ScreenModel, place: Placement, y: int) -> str | None:
    """The engine drawn in row `y` of the table's place."""
    found, (above, below) = table(model), edges(place)
    room = place.height - above - below
    if len(found) > room > 1:
        room -= 1
    start = start_at(len(found), room, model.view.offset, place_of(found, model.view.cursor))
    at = start + y - place.y - above
    hit = found[at].engine if above <= y - place.y < above + room and at < len(found) else None
    return hit.id if hit else None


def _on_hosts(model: ScreenModel, place: Placement, x: int, y: int) -> str | None:
    """A heading sorts, once more in reverse; a row opens its host."""
    row = y - place.y - (place.border != "bare") - hosts_panel.TOP
    if row == -1:
        left, width = (2, place.width - 4) if place.border == "frame" else (0, place.width)
        sort = hosts_panel.sort_at(width, x - place.x - left)
        return f"sort_by('hosts', {sort!r})" if sort else None
    key = _host_at(model, place, row)
    return f"open({key!r})" if key else None


def _host_at(model: ScreenModel, place: Placement, row: int) -> str | None:
    """The key of the host drawn in this row of the list."""
    found, room = hosts(model), hosts_panel.rooms(len(hosts(model)), host_lines((place,)))
    start = start_at(
        len(found), room, model.view.offset, hosts_panel.place_of(found, model.view.host)
    )
    hit = 0 <= row < room and start + row < len(found)
    return found[start + row].key if hit else None


def _ledger_row(model: ScreenModel, shown: Shown, place: Placement, y: int) -> int | None:
    """The place in its list of the budget, or the ledger's entry, drawn in row `y`."""
    listed = with_cursor(model, shown)
    if listed is None or place.panel not in ("budgets", "ledger"):
        return None
    start = start_at(len(listed.keys), listed.room, model.view.offset, listed.at)
    row = y - place.y - edges(place)[0]
    return start + row if 0 <= row < listed.room and start + row < len(listed.keys) else None


def _heading(model: ScreenModel, place: Placement, x: int, y: int) -> str | None:
    """The sort that a click on a table's heading means."""
    framed = place.border == "frame"
    if y != place.y + framed or place.border == "bare":
        return None
    x -= place.x + 2 * framed
    width, height = place.width - 4 * framed, place.height - sum(edges(place))
    if place.panel == "engines":
        return engines.sort_at(model.snapshot, width, x, model.options)
    if place.panel == "budgets":
        return budget_table.sort_at(width, x)
    if place.panel == "gpus":
        return gpus.sort_at(model.snapshot, width, height, x, model.options)
    return None


def _on_processes(model: ScreenModel, shown: Shown, place: Placement, x: int, y: int) -> str | None:
    """A heading sorts, once more in reverse; a row takes the cursor."""
    left, width = (place.x + 2, place.width - 4) if place.border == "frame" else (0, place.width)
    row = y - place.y - 2  # below the title and the headings
    if row == -1:
        sort = process_table.sort_at(width, x - left)
        return f"sort_by('processes', {sort!r})" if sort else None
    found = processes(model)
    room = process_room(shown, len(found))
    at = process_rows.place_of(found, model.view.process)
    hit = start_at(len(found), room, model.view.offset, at) + row
    return f"select_process({hit})" if 0 <= row < room and hit < len(found) else None


def _hint(model: ScreenModel, place: Placement, x: int) -> str | None:
    """The action of the key hint under a cell of the footer."""
    text = "".join(part for part, _ in lines(model, place)[0])
    for key, word in hints(model.snapshot, model.options):
        start = text.find(f" {key} {word}")
        if 0 <= start < x <= start + len(key) + len(word) + 1:
            shown = [*REPLAY_KEYS, *KEYS] if model.timeline is not None else KEYS
            names = (key, key[0])  # of `+/-` the first
            return next((k.action for n in names for k in shown if n in k.shown.split()), None)
    return None
