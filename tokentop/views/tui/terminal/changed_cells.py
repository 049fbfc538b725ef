"""Which cells of a row changed."""

from collections.abc import Sequence

from tokentop.domain.text import char_width
from tokentop.light_typing import TypeVar

NEAR = 10  # cells; a cursor move with its style costs about 30 bytes
MOST_NARROW = 4096
_narrow: set[str] = set()  # characters that were seen to take one cell

Style = TypeVar("Style")


def cells_of(text: str, style: Style, blank: Style) -> list[tuple[str, Style]]:
    """One (text, style) a cell; a wide character takes two, the second one empty.

    A blank has the style `blank`.
    """
    if text.isascii() or _is_narrow(text):
        return [(char, blank if char == " " else style) for char in text]
    cells: list[tuple[str, Style]] = []
    for char in text:
        width = char_width(char)
        if width == 0 and cells:  # a combining mark belongs to the cell before it
            cells[-1] = (cells[-1][0] + char, style)
            continue
        cells.append((char, blank if char == " " else style))
        cells.extend(("", style) for _ in range(width - 1))
    return cells


def _is_narrow(text: str) -> bool:
    """Whether each character takes one cell: bars, frames and charts, which change most."""
    if _narrow.issuperset(text):
        return True
    if len(_narrow) < MOST_NARROW:
        _narrow.update(char for char in text if char_width(char) == 1)
    return _narrow.issuperset(text)


def changed_cells(
    before: Sequence[tuple[str, Style]], after: Sequence[tuple[str, Style]]
) -> list[tuple[int, int]]:
    """The spans of cells that differ, as (first, one past the last); both have the same length.

    Spans closer than NEAR are one: moving the cursor costs more than the cells between.
    """
    spans: list[tuple[int, int]] = []
    if before == after:
        return spans
    for x, (a, b) in enumerate(zip(before, after, strict=True)):
        if a == b:
            continue
        start, end = _whole_character(before, after, x)
        if spans and start - spans[-1][1] < NEAR:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _whole_character(
    before: Sequence[tuple[str, Style]], after: Sequence[tuple[str, Style]], x: int
) -> tuple[int, int]:
    """The cells around `x` that must be sent so that no wide character is cut in half."""
    start, end = x, x + 1
    while start > 0 and (before[start][0] == "" or after[start][0] == ""):
        start -= 1
    while end < len(after) and (before[end][0] == "" or after[end][0] == ""):
        end += 1
    return start, end
