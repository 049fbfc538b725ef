"""Entries as rows: which columns fit, and what stands in them; ≈ marks a feed's guess."""

import time
from collections.abc import Sequence

from tokentop.domain.economy.valuation_explained import thousandths
from tokentop.domain.ledger.listing import Listed
from tokentop.domain.text import BOUND_SIGNS, DASH, clean, fit, fmt_count, fmt_usd
from tokentop.light_typing import TYPE_CHECKING
from tokentop.views.tui.draw.kit import table
from tokentop.views.tui.draw.kit.line import DrawOptions, LedgerOptions, Line
from tokentop.views.tui.draw.kit.table import Column

if TYPE_CHECKING:
    from tokentop.domain.ledger.totals import Totals

_OUTCOMES = {
    "success": ("●", "+", "active"), "failure": ("×", "X", "error"),
    "aborted": ("◐", "~", "warn"), "cache-hit": ("○", "o", "dim"),
}  # fmt: skip
_REVERSAL = ("▽", "v", "warn")
_EXACT = 10_000  # milli-credits up to which all digits are shown
_TOKENS = ("prompt", "cached", "generated", "reasoning")


def columns(width: int) -> list[Column]:
    """The columns that fit in `width`, the model taking what the others leave."""
    names = 24 if width >= 180 else 16 if width >= 120 else 11
    wide = (
        (0, Column("mark", "", 1, "left")),
        (0, Column("time", "time", 11, "left")),
        (72, Column("user", "who", 12 if width >= 120 else 9, "left")),
        (62, Column("project", "project", names, "left")),
        (150, Column("task", "task", names, "left")),
        (0, Column("model", "model", 0, "left")),
        (46, Column("prompt", "prompt", 7)),
        (100, Column("cached", "cached", 7)),
        (0, Column("generated", "output", 7)),
        (132, Column("reasoning", "reasoning", 9)),
        (112, Column("usd", "USD", 8)),
        (36, Column("credits", "credits", 7)),
        (90, Column("outcome", "outcome", 9, "left")),
    )
    kept = [column for least, column in wide if width >= least]
    spent = sum(c.width for c in kept) + 2 * (len(kept) - 2) + 1
    return [c._replace(width=max(0, width - spent)) if c.key == "model" else c for c in kept]


def gap(column: Column) -> int:
    return 1 if column.key == "time" else 2


def headings(cols: Sequence[Column]) -> Line:
    """The headings; there is one order, the newest first."""
    return table.headings(cols, gap)


def drawn(row: Listed, cols: Sequence[Column], options: DrawOptions) -> Line:
    """One entry, a cell for each column."""
    line: Line = []
    for column in cols:
        line += [(" " * gap(column), "text")] if line else []
        text, style = _cell(row, column.key, options)
        line.append((fit(text, column.width, column.align), "dim" if text == DASH else style))
    return line


def _cell(row: Listed, key: str, options: DrawOptions) -> tuple[str, str]:
    entry = row.entry
    if key == "mark":
        sign, plain, style = _mark(row)
        return plain if options.ascii else sign, style
    if key == "time":
        return clock(entry.at_us, options.ledger), "dim"
    if key in _TOKENS:
        style = "bright" if key in ("prompt", "generated") else "text"
        return tokens(row, key), style
    if key == "usd":
        return usd(entry.micro_usd), "text"
    if key == "credits":
        return of_credits(entry.milli_credits), "bright"
    if key == "outcome":
        return outcome(row), "dim" if outcome(row) in ("success", "cache-hit") else _mark(row)[2]
    model = entry.model if entry.kind in ("usage", "reversal") else f"{entry.kind} {entry.outcome}"
    names = {"user": row.user, "project": entry.project, "model": model}
    return clean(names.get(key, entry.task or entry.session) or DASH, 80), "text"


def _mark(row: Listed) -> tuple[str, str, str]:
    if row.entry.kind == "reversal":
        return _REVERSAL
    return _OUTCOMES.get(row.entry.outcome, ("·", ".", "dim"))


def outcome(row: Listed) -> str:
    """How the request ended; of an entry of another kind than usage, the kind."""
    return row.entry.outcome if row.entry.kind == "usage" else row.entry.kind


def tokens(row: Listed, name: str) -> str:
    """A count of tokens, with ≈ where the feed guessed."""
    value: int | None = getattr(row.entry, name)
    if value is None:
        return DASH
    return (BOUND_SIGNS["about"] if row.entry.estimated else "") + fmt_count(value)


def usd(micro_usd: int | None) -> str:
    return fmt_usd(None if micro_usd is None else micro_usd / 1e6)


def of_credits(milli_credits: int | None) -> str:
    """Credits: all three decimals up to ten, then shortened."""
    if milli_credits is None or abs(milli_credits) < _EXACT:
        return thousandths(milli_credits)
    return fmt_count(milli_credits / 1000)


def credits_of(totals: "Totals") -> str:
    """The credits of several entries: at least so many where some are not valued."""
    if totals.unvalued and totals.unvalued >= totals.requests:
        return DASH
    bound = BOUND_SIGNS["at-least"] if totals.unvalued else ""
    return bound + of_credits(totals.milli_credits)


def clock(at_us: int, look: LedgerOptions) -> str:
    """The local time of an entry: of today to the second, else with its day."""
    at, now = look.local(at_us / 1e6), look.local(look.wall)
    same = at.tm_yday == now.tm_yday and at.tm_year == now.tm_year
    return time.strftime("%H:%M:%S" if same else "%m-%d %H:%M", at)
