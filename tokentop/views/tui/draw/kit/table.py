"""What the tables share: one column of theirs, their headings, which heading is where."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from tokentop.domain.text import fit
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.line import Line


class Column(NamedTuple):
    """One column: the figure it shows, its heading, its width in cells."""

    key: str
    head: str
    width: int
    align: Literal["left", "right"] = "right"


class Order(NamedTuple):
    """The sort in force, the sort that each column stands for, whether the largest come first."""

    sort: str
    columns: Mapping[str, str]
    falling: bool

    def of(self, column: Column) -> bool:
        """Whether the table is sorted by a column with a heading."""
        return bool(column.head) and self.columns.get(column.key) == self.sort


Gap = Callable[[Column], int]  # cells before a column that is not the first


def headings(cols: Sequence[Column], gap: Gap, order: Order | None = None) -> Line:
    """The column headings; the one sorted by is bright, with a mark in the cell before it."""
    chosen = next((c for c in cols if order is not None and order.of(c)), None)
    line: Line = []
    for column in cols:
        text = " " * (gap(column) if line else 0) + fit(column.head, column.width, column.align)
        start = len(text) - len(text.lstrip()) - 1
        if column is chosen and order is not None and start >= 0:
            text = text[:start] + ("▾" if order.falling else "▴") + text[start + 1 :]
        line.append((text, "bright" if column is chosen else "dim"))
    return line


def column_at(cols: Sequence[Column], gap: Gap, x: int) -> Column | None:
    """The column in cell `x`; the gap before a column belongs to it."""
    return next((column for column, end in _ends(cols, gap) if x < end), None) if x >= 0 else None


def _ends(cols: Sequence[Column], gap: Gap) -> Iterator[tuple[Column, int]]:
    end = 0
    for place, column in enumerate(cols):
        end += column.width + (gap(column) if place else 0)
        yield column, end
