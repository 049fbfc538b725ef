"""The page of a machine on which nothing was found: what was looked for, what to try."""

from collections.abc import Iterable

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean, fit
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, exact, middle
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.layout import EMPTY, SIZES, Place
from tokentop.views.tui.draw.layout_inputs import driver
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels import search

TITLE = "No engine is serving here, and no GPU is known."
TRY = (
    ("tokentop --demo", "a simulated machine to look at"),
    ("tokentop doctor", "what was looked for, and what to do"),
    ("tokentop config --example", "a file to start from"),
)


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The page in exactly `height` lines of `width` cells, in the middle of its room."""
    drawn = _fitting(snapshot, width, height, options)
    across = max(map(wide, drawn))
    left = max(0, (width - across) // 2)
    shifted = [[(" " * left, "text"), *line] for line in drawn]
    return block(middle(shifted, height), width, height)


def _fitting(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The page, without its empty lines or only in outline where it is too long."""
    page = _page(snapshot, width, options)
    tight = [line for line in page if line]
    return page if len(page) <= height else tight if len(tight) <= height else _outline(width)


def _page(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    """Which engines were looked for, why no GPU is known, and what to try."""
    nvml = driver(snapshot)
    reason = clean((nvml.error if nvml else None) or "This host's driver is not polled.", 160)
    narrow = width < 72
    commands = [(command, "" if narrow else why) for command, why in TRY]
    label = 0 if narrow else 13
    rows: list[Line] = [
        [(TITLE, "bright")],
        [],
        *search.page(min(width, 84), options),
        [],
        *search.labelled("GPUs", [reason[:1].upper() + reason[1:]], min(width, 84)),
        [],
        *_table("try", commands, label, 27),
        *([[], [("The search goes on; whatever starts appears here.", "dim")]] * options.search),
    ]
    return [exact(row, min(wide(row), width)) for row in rows]


def _outline(width: int) -> list[Line]:
    """The title, what to try, and how to name an engine."""
    rows: list[Line] = [
        [(TITLE, "bright")],
        *_table("", [(command, "") for command, _ in TRY], 0, 27),
        *[[(row, "text")] for row in search.NAME_ONE],
    ]
    return [exact(row, min(wide(row), width)) for row in rows]


def _table(label: str, pairs: Iterable[tuple[str, str]], indent: int, column: int) -> list[Line]:
    """Name and remark in two columns, with a label before the first row where it fits."""
    style = "bright" if label == "try" else "text"
    return [
        [(fit(label if i == 0 else "", indent), "dim"), (fit(name, column), style), (remark, "dim")]
        for i, (name, remark) in enumerate(pairs)
    ]


PANEL = Panel("welcome", lines, places=(Place(SIZES, 0, (1,), inset=1, flex=True, contents=EMPTY),))
