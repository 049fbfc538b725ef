"""The empty machine: what was looked for, what was not found, and what to try."""

from tokentop.domain.model import Snapshot
from tokentop.domain.text import clean
from tokentop.views.tui.draw.facts import driver, stack
from tokentop.views.tui.draw.line import Line, Look, block, exact, middle
from tokentop.views.tui.draw.line import span_width as wide

TRY = (
    ("tokentop --demo", "a simulated stack to look at"),
    ("tokentop doctor", "what was looked for, and what to do"),
    ("tokentop config --example", "a file to start from"),
)


def lines(snapshot: Snapshot, width: int, height: int, _look: Look) -> list[Line]:
    """The calm page in exactly `height` lines of `width` cells, in the middle of its room."""
    drawn = _page(snapshot, width)
    if len(drawn) > height:
        drawn = [line for line in drawn if line]
    across = max(map(wide, drawn))
    left = max(1, (width - across) // 2)
    shifted = [[(" " * left, "text"), *line] for line in drawn]
    return block(middle(shifted, height), width, height)


def _page(snapshot: Snapshot, width: int) -> list[Line]:
    asked = stack(snapshot)
    nvml = driver(snapshot)
    reason = clean((nvml.error if nvml else None) or "This host's driver was not asked.", 70)
    rows: list[Line] = [
        [("Nothing to watch on this machine yet.", "bright")],
        [],
        [("looked for  ", "dim"), (f"{'GPUs':<10}", "text"), (reason, "dim")],
        [("            ", "dim"), (f"{'services':<10}", "text"), (_where(asked), "dim")],
        [],
    ]
    narrow = width < 76
    for i, (command, why) in enumerate(TRY):
        lead = "try         " if i == 0 else "            "
        rows.append([(lead, "dim"), (f"{command:<27}", "bright"), ("" if narrow else why, "dim")])
    rows += [[], [("It keeps looking; whatever comes up appears here.", "dim")]]
    return [exact(row, min(wide(row), width - 2)) for row in rows]


def _where(asked: tuple[object, ...]) -> str:
    return f"None of the {len(asked)} answered where they were expected."
