"""Which cells of a picture changed.

Textual repaints every widget that is refreshed and does not compare cells, so each needless
refresh goes down the SSH link; the comparison happens here.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import TypeVar

from textual.geometry import Region

from tokentop.domain.text import char_width
from tokentop.views.tui.draw.kit.line import Line, Span, span_width

NEAR = 10  # cells; a cursor move with its style costs about 30 bytes


Style = TypeVar("Style")


def cells_of(text: str, style: Style, blank: Style) -> list[tuple[str, Style]]:
    """One (text, style) a cell; a wide character takes two, the second one empty.

    A blank has the style `blank`.
    """
    if text.isascii():
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


def changed_cells(
    before: Sequence[tuple[str, Style]], after: Sequence[tuple[str, Style]]
) -> list[tuple[int, int]]:
    """The spans of cells that differ, as `changed_spans`; both have the same length."""
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


def changed_spans(old: Line, new: Line) -> list[tuple[int, int]]:
    """The spans of cells that differ, as (first, one past the last), left to right.

    Spans closer than NEAR are one: moving the cursor costs more than the cells between.
    """
    if old == new:
        return []
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    before, after = (_cells(line[first : len(line) - last]) for line in (old, new))
    if len(before) != len(after):
        return [(0, max(span_width(old), span_width(new)))]
    left = span_width(old[:first])
    return [(left + start, left + end) for start, end in changed_cells(before, after)]


def _cells(line: Line) -> list[Span]:
    return [cell for text, style in line for cell in cells_of(text, style, style)]


def _alike(old: Line, new: Line) -> int:
    """How many spans at the beginning are the same: their cells need no comparison."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


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


def changed_regions(old: Sequence[Line], new: Sequence[Line]) -> list[Region]:
    """The cells to send again; both pictures have the same height."""
    return [
        Region(start, y, end - start, 1)
        for y, (before, after) in enumerate(zip(old, new, strict=True))
        for start, end in changed_spans(before, after)
    ]
