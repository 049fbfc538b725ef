"""The whole screen as the app composes it: its own placements, its own panels' lines."""

from collections.abc import Sequence
from itertools import groupby

from tests.serving import NOW
from tests.views.draw.samples import samples
from tokentop.domain.history import Sample
from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, exact
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.panel import draw_panel
from tokentop.views.tui.draw.registry import panel_of
from tokentop.views.tui.screen_model import ScreenModel, lines, placements
from tokentop.views.tui.state import ViewState


def model(
    snapshot: Snapshot,
    view: ViewState = ViewState(),  # noqa: B008  (a frozen value)
    history: Sequence[Sample] | None = None,
    **fields: object,
) -> ScreenModel:
    """The screen of a snapshot at 12:04:31, over ten minutes of history."""
    kept = samples() if history is None else history
    screen = ScreenModel(snapshot, view, lambda: kept, NOW, clock="12:04:31")
    return screen._replace(**fields)  # type: ignore[arg-type]


def composed(screen: ScreenModel, width: int, height: int) -> list[Line]:
    """Every panel of the screen at its place: exactly `height` lines of `width` cells."""
    rows: list[list[tuple[int, int, Line]]] = [[] for _ in range(height)]
    for place in placements(screen, width, height):
        for dy, line in enumerate(lines(screen, place)):
            rows[place.y + dy].append((place.x, place.width, line))
    return [_row(parts, width) for parts in rows]


def panel_lines(snapshot: Snapshot, place: Placement, options: DrawOptions) -> list[Line]:
    """One panel of the dashboard at a place of the test's own choice."""
    return draw_panel(panel_of(place.panel), snapshot, place, options)


def _row(parts: list[tuple[int, int, Line]], width: int) -> Line:
    """Pieces of one row put side by side, blank between them."""
    row: Line = []
    x = 0
    for start, size, line in sorted(parts, key=lambda part: part[0]):
        row += [(" " * (start - x), "text")] if start > x else []
        row += line
        x = start + size
    return exact(row, width)


def text(rows: list[Line]) -> str:
    """The characters alone, one line each."""
    return "\n".join("".join(part for part, _ in line) for line in rows)


def styled(rows: list[Line]) -> str:
    """The same with each run's style before it, as `‹warn›97%`; plain blanks have none."""
    return "\n".join(_styled(row) for row in rows)


def _styled(row: Line) -> str:
    shown = ""
    for style, spans in groupby(row, key=lambda span: span[1]):
        run = "".join(part for part, _ in spans)
        shown += run if style == "text" and not run.strip() else f"‹{style}›{run}"
    return shown.rstrip()
