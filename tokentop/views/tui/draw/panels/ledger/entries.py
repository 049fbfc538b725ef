"""The ledger's entries, the newest first; only rows on the screen are drawn."""

from tokentop.domain.ledger.listing import SEARCHED, Page
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, exact, sentence
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.engines.rows import start_at
from tokentop.views.tui.draw.panels.ledger import entry_rows
from tokentop.views.tui.draw.panels.ledger.budgets import rooms


def lines(_snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The rows in exactly `height` lines of `width` cells, the last one with the position."""
    page = options.ledger.page
    if not page.rows:
        return sentence(absence(page), width, height)
    room = shown(page, height)
    at = place_of(page, options.ledger.entry)
    start = start_at(len(page.rows), room, options.offset, at)
    cols = entry_rows.columns(width)
    drawn = []
    for place, row in enumerate(page.rows[start : start + room], start):
        line = entry_rows.drawn(row, cols, options)
        if place == at:  # the pointer takes the first gap, so that nothing moves
            line[1] = ("▸", "selected")
        drawn.append(exact(line, width))
    if len(drawn) < height:
        drawn += [[]] * (height - len(drawn) - 1) + [_position(page, start, len(drawn))]
    return block(drawn, width, height)


def shown(page: Page, height: int) -> int:
    """How many entries have a row; the last line gives the position wherever there are two."""
    return rooms(len(page.rows) + (height > 1), height)


def place_of(page: Page, cursor: str) -> int:
    """The row under the cursor; the first where it is not listed."""
    rows = enumerate(page.rows)
    return next((i for i, row in rows if row.entry.identity == cursor), 0)


def _position(page: Page, start: int, count: int) -> Line:
    """`1–7 of 4,203`; what is wrong, where what follows cannot be read."""
    whole = len(page.rows) if page.total is None else page.total
    of = f"more than {whole:,}" if page.beyond else f"{whole:,}"
    hint = " · j k to move, enter opens" if count > 1 else ""
    line: Line = [(f"{start + 1:,}–{start + count:,} of {of}", "text"), (hint, "dim")]
    return [*line, (f" · {clean(page.problem, 200)}", "warn")] if page.problem else line


def absence(page: Page) -> str:
    """Why no entry is shown."""
    if page.problem:
        return f"The ledger cannot be shown: {clean(page.problem, 300)}."
    if page.wanted:
        among = f" among the newest {SEARCHED:,}" if page.beyond else ""
        return f"No entry matches “{clean(page.wanted, 40)}”{among}."
    if page.total is None:
        return "The ledger is being read."
    return (
        "The ledger has no entries yet. Gateways and agents report to `tokentop serve`, with "
        "intake = true in [ledger]."
    )


def heads(_snapshot: Snapshot, width: int, _height: int, options: DrawOptions) -> Line:
    """The column headings."""
    return entry_rows.headings(entry_rows.columns(width)) if options.ledger.page.rows else []


def title(_snapshot: Snapshot, options: DrawOptions) -> str:
    """The title with the filter."""
    return "ledger · /" + clean(options.filter, 24) if options.filter else "ledger"


PANEL = Panel("ledger", lines, title, heads=heads)
