"""The whole dashboard as text: every panel at its place."""

from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, exact
from tokentop.views.tui.draw.layout import arrange
from tokentop.views.tui.draw.layout_inputs import layout_inputs
from tokentop.views.tui.draw.registry import draw


def compose(
    snapshot: Snapshot,
    width: int,
    height: int,
    options: DrawOptions = DrawOptions(),  # noqa: B008  (a frozen value)
) -> list[Line]:
    """Exactly `height` lines of exactly `width` cells."""
    rows: list[list[tuple[int, int, Line]]] = [[] for _ in range(height)]
    for place in arrange(width, height, layout_inputs(snapshot, options)):
        for dy, line in enumerate(draw(snapshot, place, options)):
            rows[place.y + dy].append((place.x, place.width, line))
    return [_row(parts, width) for parts in rows]


def _row(parts: list[tuple[int, int, Line]], width: int) -> Line:
    """Pieces of one row put side by side, blank between them."""
    row: Line = []
    x = 0
    for start, size, line in sorted(parts, key=lambda part: part[0]):
        row += [(" " * (start - x), "text")] if start > x else []
        row += line
        x = start + size
    return exact(row, width)


def text(lines: list[Line]) -> str:
    """The characters alone, one line each."""
    return "\n".join("".join(part for part, _ in line) for line in lines)
