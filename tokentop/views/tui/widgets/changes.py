"""Which parts of a panel's rows are to be drawn again.

Textual repaints every widget that is refreshed, whatever changed. Spans are compared here, which
costs little; of the cells that are drawn again those are sent that the terminal does not show
(terminal/picture.py).
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from textual.geometry import Region

from tokentop.views.tui.draw.kit.line import Line, Span, span_width


def changed_regions(old: Sequence[Line], new: Sequence[Line]) -> list[Region]:
    """The part of each row from the first span that differs to the last; as many rows in both."""
    return [
        Region(start, y, end - start, 1)
        for y, (before, after) in enumerate(zip(old, new, strict=True))
        if before != after
        for start, end in [_changed(before, after)]
    ]


def _changed(old: Line, new: Line) -> tuple[int, int]:
    """The cells between what both begin and end with, as (first, one past the last)."""
    first = _alike(old, new)
    last = _alike(reversed(old[first:]), reversed(new[first:]))
    widths = span_width(old), span_width(new)
    if widths[0] != widths[1]:
        return 0, max(widths)
    return span_width(new[:first]), widths[1] - span_width(new[len(new) - last :])


def _alike(old: Iterable[Span], new: Iterable[Span]) -> int:
    """How many spans at the beginning are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
