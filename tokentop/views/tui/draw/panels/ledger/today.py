"""What was booked today, how far the engines' own counters agree, and what holds it up."""

from tokentop.domain.policy import STALE_AFTER_S
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import LedgerFigures
from tokentop.domain.text import DASH, clean, fmt_count, fmt_usd, known
from tokentop.views.tui.draw.kit.glyphs import age
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    joined,
    sides,
    span_width,
)
from tokentop.views.tui.draw.panel import Panel

ROWS = 2
_GAP = "   "
_TOKENS = (" tokens", "dim")
_DECIDES = {
    "open": "spending is not decided on: all of it passes (open)",
    "closed": "spending is not decided on: all of it is refused (closed)",
}


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """Today's sums, and what is to be known about them, in `height` lines of `width` cells."""
    figures = snapshot.ledger
    if figures is None:
        return block([[("no ledger", "dim")]], width, height)
    stale = is_stale(figures, options)
    old = _age(figures, options) if stale else []
    sums = sides(_fitting(_sums(figures), width - span_width(old)), old, width)
    drawn = [sums, _fitting(_remarks(figures), width)]
    return block([*dimmed(drawn[:1]), *drawn[1:]] if stale else drawn, width, height)


def is_stale(figures: LedgerFigures, options: DrawOptions) -> bool:
    """Whether the ledger was last read longer ago than a figure counts as fresh."""
    return known(figures.age_s) and figures.age_s + options.elapsed_s > STALE_AFTER_S


def _age(figures: LedgerFigures, options: DrawOptions) -> Line:
    return [(f"{age(figures.age_s, options)} old", "stale")]


def _fitting(parts: list[Line], width: int) -> Line:
    """The parts that fit, each whole; the first one always."""
    while len(parts) > 1 and span_width(joined(parts, _GAP)) > width:
        parts = parts[:-1]
    return joined(parts, _GAP)


def _sums(figures: LedgerFigures) -> list[Line]:
    return [
        [("today", "title")],
        _figure(fmt_count(figures.today_requests), "requests"),
        _figure(fmt_count(figures.today_tokens), "tokens"),
        _figure(fmt_count(figures.today_credits), "credits"),
        _figure(fmt_usd(figures.today_usd), "list price"),
    ]


def _figure(value: str, unit: str) -> Line:
    return [(value, "bright"), (f" {unit}", "dim")]


def _remarks(figures: LedgerFigures) -> list[Line]:
    """What needs a person first, then what is claimed by nobody or by too many."""
    found: list[Line] = [[(_DECIDES[figures.decides], "error")]] if figures.decides else []
    found += [[(clean(figures.note, 200), "warn")]] if figures.note else []
    if left := figures.to_classify:
        found.append([(f"{left} flag{'s' * (left != 1)} left to classify", "warn")])
    return [
        *found,
        _compared("unattributed", figures.unattributed),
        _compared("overclaimed", figures.overclaimed),
    ]


def _compared(name: str, tokens: int | None) -> Line:
    """Tokens of today on one side of the engines' counters; any are amber."""
    if tokens is None:
        return [(f"{name} {DASH}", "dim")]
    return [(f"{name} ", "dim"), (fmt_count(tokens), "warn" if tokens else "text"), _TOKENS]


def _ticks(snapshot: Snapshot) -> bool:
    return snapshot.ledger is not None


PANEL = Panel("today", lines, ticks=_ticks)
