"""The footer: key hints, the filter while it is typed, or a passing notice."""

from collections.abc import Sequence

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width, clean
from tokentop.domain.verdict.values import Event
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block
from tokentop.views.tui.draw.layout import ALL, COMPACT, EMPTY, LARGE, MEDIUM, SIZES, SMALL, Place
from tokentop.views.tui.draw.panel import Panel

HINTS = (
    ("q", "quit"), ("?", "help"), ("p", "pause"), ("e", "engines"), ("/", "filter"),
    ("s", "sort"), ("h", "history"), ("$", "costs"), ("c", "compact"), ("t", "theme"),
    ("r", "refresh"), ("+/-", "interval"), ("S", "screenshot"),
)  # fmt: skip
LEDGER_HINTS = (("b", "budgets"), ("l", "ledger"))
HOSTS_HINTS = (
    ("q", "quit"), ("?", "help"), ("enter", "open"), ("esc", "back"), ("/", "filter"),
    ("s", "sort"), ("R", "reverse"), ("t", "theme"), ("S", "screenshot"),
)  # fmt: skip
REPLAY_HINTS = (
    ("q", "quit"), ("?", "help"), ("p", "pause"), (",", "back"), (".", "step"), ("+/-", "speed"),
    (":", "go to"), ("e", "engines"), ("h", "history"), ("$", "costs"), ("t", "theme"),
)  # fmt: skip


def hints(snapshot: Snapshot, options: DrawOptions) -> tuple[tuple[str, str], ...]:
    """The keys that are named, with a word each: the ledger's, and back, where there are such."""
    if options.timeline is not None:
        return REPLAY_HINTS
    if options.fleet:
        return HOSTS_HINTS
    ledger = () if snapshot.ledger is None else LEDGER_HINTS
    back = (("esc", "hosts"),) if options.host_cursor else ()
    return (*HINTS[:3], *back, *ledger, *HINTS[3:])


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The footer in exactly `height` lines of `width` cells; hints are dropped whole."""
    if options.filtering:
        typed: Line = [(" / ", "key"), (clean(options.filter, 60), "bright"), ("▏", "key")]
        return block([[*typed, ("   enter keep  esc clear", "dim")]], width, height)
    if options.notice:
        return block([[(" " + clean(options.notice, 200), "text")]], width, height)
    line: Line = [(" ", "text")]
    used = 1
    for key, word in hints(snapshot, options):
        size = cell_width(key) + cell_width(word) + 1
        if used + size > width:
            break
        line += [(key, "key"), (f" {word}  ", "dim")]
        used += size + 2
    return block([line], width, height)


PANEL = Panel(
    "footer",
    lines,
    places=(
        Place((*LARGE, *MEDIUM), 6, (1,), contents=ALL),
        Place(SMALL, 5, (1,), contents=ALL),
        Place(SIZES, 4, (1,), contents=EMPTY),
        Place(SIZES, 2, (1,), contents=COMPACT),
    ),
)


def announcement(events: Sequence[Event]) -> str:
    """What has just changed as one sentence, the most important event in words."""
    more = f" · {len(events) - 1} more: v" if len(events) > 1 else " · v lists all"
    return events[0].text + more
