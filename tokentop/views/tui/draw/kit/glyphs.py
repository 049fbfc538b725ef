"""Meters in eighths, digits three rows tall, ages."""

from tokentop.domain.text import DASH, cell_width, fmt_age, known
from tokentop.views.tui.draw.kit.cells import bar
from tokentop.views.tui.draw.kit.line import DrawOptions, Line

_BIG = {
    "0": ("█▀█", "█ █", "▀▀▀"), "1": ("▀█ ", " █ ", "▀▀▀"), "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"), "4": ("█ █", "▀▀█", "  ▀"), "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"), "7": ("▀▀█", "  █", "  ▀"), "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"), ".": (" ", " ", "▀"), "×": ("   ", "▀▄▀", "▀ ▀"),
    "k": ("█  ", "█▄▀", "▀ ▀"), "M": ("█▄█", "█ █", "▀ ▀"), "%": ("▀ ▄", " ▄▀", "▀ ▀"),
    DASH: ("   ", "▀▀▀", "   "), " ": (" ", " ", " "),
}  # fmt: skip


def meter(fraction: float | None, width: int, style: str = "bar") -> Line:
    """A bar in eighths on its track; an unknown fraction is an empty track."""
    if width <= 0:
        return []
    if not known(fraction):
        return [(" " * width, "track")]
    cells = bar(fraction, width)
    full = cells.rstrip(" ")
    return [s for s in ((full, style), (cells[len(full) :], "track")) if s[0]]


def line_meter(fraction: float | None, width: int, style: str) -> Line:
    """A thin bar in half cells, which is a rule at the same time."""
    halves = round(max(0.0, min(1.0, fraction)) * width * 2) if known(fraction) else 0
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return [(done, style), ("─" * (width - len(done)), "frame")]


def big(text: str, options: DrawOptions) -> list[str]:
    """`text` three rows tall in half blocks; on one row where a glyph for it is missing."""
    if options.ascii or any(c not in _BIG for c in text):
        blank = " " * cell_width(text)
        return [blank, text, blank]
    return [" ".join(_BIG[c][row] for c in text) for row in range(3)]


def age(age_s: float | None, options: DrawOptions) -> str:
    """An age as of now: the snapshot's plus the time since."""
    return fmt_age(None if age_s is None else age_s + options.elapsed_s)


def old(age_s: float | None, options: DrawOptions) -> str:
    """`47s old`; `stale` where the age is unknown."""
    return "stale" if age_s is None else f"{age(age_s, options)} old"
