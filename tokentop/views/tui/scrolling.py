"""How far the list of a view may be scrolled."""

from collections.abc import Sequence

from tokentop.domain.engines.history import Trends
from tokentop.domain.hosts import listed as listed_hosts
from tokentop.views.tui.draw.layout import Placement, edges
from tokentop.views.tui.draw.panels import costs, events, hosts, why
from tokentop.views.tui.draw.panels.engines import detail as engine
from tokentop.views.tui.draw.panels.engines.rows import listed
from tokentop.views.tui.draw.panels.gpus import process_rows
from tokentop.views.tui.draw.panels.gpus.rows import arranged
from tokentop.views.tui.draw.panels.ledger import budgets, entry, project
from tokentop.views.tui.screen_model import ScreenModel

_TEXTS = {"costs": costs.page, "why": why.page}


def scrolling(model: ScreenModel, shown: Sequence[Placement]) -> tuple[int, int]:
    """The last row at which the list may start, and the rows of one page."""
    found = [(0, 1)]
    for place in shown:
        rows = _rows(model, place)
        if rows is not None:
            heads = place.panel in ("gpus", "processes", "engines", "budgets", "ledger")
            room = place.height - sum(edges(place)) + (not heads and place.border == "frame")
            room -= rows > room > 1 and place.panel != "processes"  # for the line with the position
            found.append((max(0, rows - max(1, room)), max(1, room)))
    return max(found)


def _rows(model: ScreenModel, place: Placement) -> int | None:
    """The rows of a list, or of a page of text; None where nothing is to be scrolled."""
    snapshot, options = model.snapshot, model.options
    width = place.width - (4 if place.border == "frame" else 0)
    if place.panel == "gpus":
        return len(arranged(snapshot.gpus, options.sort, options.filter))
    if place.panel == "processes":
        return len(process_rows.rows(snapshot, options))
    if model.view.name == "engines" and place.panel == "engines":
        return len(listed(snapshot.engines, options.engine_sort, options.engine_filter))
    if place.panel == "hosts":
        return hosts.TOP + len(listed_hosts(model.fleet, options.host_sort, options.filter))
    if place.panel == "events":
        return len(events.page(snapshot, options, width))
    if place.panel == "budgets":
        return len(budgets.rows_of(snapshot, options))
    if place.panel in ("ledger", "budget", "entry"):
        return _ledger_rows(model, place.panel, width)
    if place.panel in _TEXTS:
        return len(_TEXTS[place.panel](snapshot, width))
    one = engine.find(snapshot, model.view.opened or "") if place.panel == "engine" else None
    return len(engine.page(one, Trends(), width, options)) if one else None


def _ledger_rows(model: ScreenModel, panel: str, width: int) -> int:
    """The ledger's entries that were read, or the rows of what is opened."""
    options, opened = model.options, model.view.opened or ""
    if panel == "ledger":
        return len(model.page.rows)
    if panel == "budget":
        rows = project.found(model.snapshot, opened)
        return len(project.page(rows, width, options)) if rows else 0
    row = entry.find(model.page, opened)
    return len(entry.page(row, width, options.ledger)) if row else 0
