"""The page of a machine on which nothing was found: what was looked for, what to try."""

from collections.abc import Iterable

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean, fit
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, exact, middle
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.layout import EMPTY, SIZES, Place
from tokentop.views.tui.draw.layout_inputs import driver, stack
from tokentop.views.tui.draw.panel import Panel

TRY = (
    ("tokentop --demo", "a simulated stack to look at"),
    ("tokentop doctor", "what was looked for, and what to do"),
    ("tokentop config --example", "a file to start from"),
)


def lines(snapshot: Snapshot, width: int, height: int, _options: DrawOptions) -> list[Line]:
    """The page in exactly `height` lines of `width` cells, in the middle of its room."""
    drawn = _page(snapshot, width)
    if len(drawn) > height:
        drawn = [line for line in drawn if line]
    across = max(map(wide, drawn))
    left = max(0, (width - across) // 2)
    shifted = [[(" " * left, "text"), *line] for line in drawn]
    return block(middle(shifted, height), width, height)


def _page(snapshot: Snapshot, width: int) -> list[Line]:
    """What was looked for, with the reason for finding none; shorter where it is narrow."""
    nvml = driver(snapshot)
    reason = clean((nvml.error if nvml else None) or "This host's driver is not polled.", 70)
    services = f"None of the {len(stack(snapshot))} answered where they were expected."
    narrow = width < 72
    found = [("GPUs", reason), ("services", services)]
    commands = [(command, "" if narrow else why) for command, why in TRY]
    label = 0 if narrow else 12
    rows: list[Line] = [
        [("Nothing to watch on this machine yet.", "bright")],
        [],
        *_table("looked for", found, label, 10),
        [],
        *_table("try", commands, label, 27),
        [],
        [("The search goes on; whatever starts appears here.", "dim")],
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
