"""What the tables share: one column of theirs."""

from typing import Literal, NamedTuple


class Column(NamedTuple):
    """One column: the figure it shows, its heading, its width in cells."""

    key: str
    head: str
    width: int
    align: Literal["left", "right"] = "right"
