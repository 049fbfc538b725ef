"""The budgets, a row each: how long each lasts, what of it is spent, its project's flags."""

from collections.abc import Sequence

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import Flag, Project
from tokentop.domain.text import DASH, clean, fit, fmt_usd, known
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    exact,
    sentence,
    wrapped,
)
from tokentop.views.tui.draw.kit.table import Column, Order, column_at, headings
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.engines.rows import start_at
from tokentop.views.tui.draw.panels.ledger import marks
from tokentop.views.tui.draw.panels.ledger.budget_rows import (
    Row,
    columns,
    falls,
    listed,
    pending,
    place_of,
)
from tokentop.views.tui.draw.sorts import BUDGET_SORTS

_OFF = (
    "No ledger is followed here. To begin one, write intake = true below [ledger] in the "
    "configuration and run `tokentop serve`: it books what gateways and agents report. Or book a "
    "file of theirs: `tokentop ledger import FILE`. [[budget]] then sets a limit. "
    "`tokentop --demo` shows what it looks like."
)
_UNUSED = (
    "The ledger has no entry of today, and there is no budget: [[budget]] in the configuration "
    "sets one. Gateways and agents report to `tokentop serve`, with intake = true in [ledger]."
)
_SORTED = {
    "name": "name", "clock": "clock", "bar": "spent", "spent": "spent", "burn": "burn",
    "left": "left", "velocity": "velocity", "flags": "flags", "state": "state",
}  # fmt: skip


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The table in exactly `height` lines of `width` cells; the last one counts the rows cut."""
    rows = rows_of(snapshot, options)
    if not rows:
        return sentence(_absence(snapshot, options), width, height)
    room = rooms(len(rows), height)
    at = place_of(rows, options.ledger.cursor)
    start = start_at(len(rows), room, options.offset, at)
    cols = columns(width)
    drawn = [
        exact(_row(row, cols, options, selected=start + i == at), width)
        for i, row in enumerate(rows[start : start + room])
    ]
    if room < len(rows):
        place = f"{start + 1}–{start + room} of {len(rows)}"
        drawn.append([(place, "text"), (" · j k to move, enter opens", "dim")])
    elif len(drawn) + 1 < height:
        drawn += _remarks(rows[at], width, height - len(drawn) - 1)
    return block(drawn, width, height)


def rows_of(snapshot: Snapshot, options: DrawOptions) -> list[Row]:
    """The rows as the view has them sorted and filtered."""
    look = options.ledger
    return listed(snapshot.ledger, look.sort, options.filter, reverse=look.reverse)


def rooms(count: int, height: int) -> int:
    """How many of so many rows are shown in a panel with `height` lines for them."""
    return height - 1 if count > height > 1 else max(1, height)


def heads(snapshot: Snapshot, width: int, _height: int, options: DrawOptions) -> Line:
    """The column headings, the one sorted by brighter."""
    if not rows_of(snapshot, options):
        return []
    sort = options.ledger.sort
    order = Order(sort, _SORTED, falls(sort) != options.ledger.reverse)
    return headings(columns(width), _gap, order)


def sort_at(width: int, x: int) -> str | None:
    """The sort that the heading in cell `x` stands for."""
    column = column_at(columns(width), _gap, x)
    return _SORTED.get(column.key) if column else None


def _gap(column: Column) -> int:
    return 1 if column.key == "name" else 2


def _row(row: Row, cols: Sequence[Column], options: DrawOptions, *, selected: bool) -> Line:
    line: Line = []
    for column in cols:
        line += [(" " * _gap(column), "text")] if line else []
        line += _cell(row, column, options)
    if selected:  # the pointer takes the first gap, so that nothing moves
        line[1] = ("▸", "selected")
    return line


def _cell(row: Row, column: Column, options: DrawOptions) -> Line:
    """One cell of exactly the column's width."""
    if column.key == "mark":
        return [marks.symbol(row.state, options)]
    if column.key == "bar":
        return marks.bar(row.budget, row.state, column.width)
    text, style = _words(row, column.key, options)
    return [(fit(text, column.width, column.align), "dim" if text == DASH else style)]


def _words(row: Row, key: str, options: DrawOptions) -> tuple[str, str]:
    """A figure as text, with its style."""
    if key == "name":
        return clean(row.who, 80), "text"
    if key == "clock":
        return marks.clock(row.budget, options)
    if key == "state":
        return marks.word(row.state)
    if key == "flags":
        return flag_count(row.flags)
    if key == "velocity":
        return fmt_usd(row.project.velocity if row.project else None), "text"
    return (row.scope, "dim") if key == "scope" else _of_budget(row, key)


def _of_budget(row: Row, key: str) -> tuple[str, str]:
    """A figure of the budget; what a project without one has spent today stands in its place."""
    budget = row.budget
    if budget is None:
        return (today(row.project) if key == "spent" else DASH), "text"
    if key == "period":
        return budget.period, "dim"
    if key == "spent":
        return marks.spent(budget), "bright"
    value = budget.burn_per_hour if key == "burn" else budget.left_at_end
    short = key == "left" and known(value) and value < 0
    return fmt.amount(value, budget.unit), "warn" if short else "text"


def today(project: Project | None) -> str:
    """What a project has spent today, in the unit that is known of it."""
    if project is None:
        return DASH
    if known(project.credits):
        return f"{fmt.amount(project.credits, 'credits')} cr today"
    if known(project.usd):
        return f"{fmt_usd(project.usd)} today"
    return (
        DASH if project.tokens is None else f"{fmt.amount(project.tokens, 'tokens')} tokens today"
    )


def flag_count(flags: Sequence[Flag]) -> tuple[str, str]:
    """How many flags wait for a person, with a mark where a task still runs; nothing for none."""
    found = pending(flags)
    if not found:
        return "", "dim"
    runs = any(flag.running for flag in found)
    return f"{'▲' * runs}{len(found)}", "error" if runs else "warn"


def _remarks(row: Row, width: int, room: int) -> list[Line]:
    """Below the table, of the row under the cursor: why it is stopped, and its flags."""
    texts = []
    if row.project is not None and row.project.stopped:
        texts.append(f"{clean(row.who, 60)} is stopped: {clean(row.project.why or DASH, 160)}.")
    texts += [f"{flagged(flag)} f classifies it." for flag in pending(row.flags)[:1]]
    found = [[(part, "warn")] for text in texts for part in wrapped(text, width, 2)]
    return [[], *found[: max(0, room - 1)]] if found else []


def flagged(flag: Flag) -> str:
    """A flag in one sentence."""
    if flag.kind == "concentration":
        names = ", ".join(clean(name, 40) for name in flag.projects)
        return f"Together beyond what may be spent: {names}."
    task, model = clean(flag.task or "a task", 40), clean(flag.model or "an unknown model", 40)
    runs = "runs and has" if flag.running else "has"
    return f"Task {task} on {model} {runs} cost {cost_of(flag)}."


def cost_of(flag: Flag) -> str:
    """`412 credits, 6.3 times the 65 expected`."""
    cost = fmt.amount(flag.cost, "credits")
    if not known(flag.cost) or not known(flag.expected) or flag.expected <= 0:
        return f"{cost} credits"
    times = flag.cost / flag.expected
    return f"{cost} credits, {times:.1f} times the {fmt.amount(flag.expected, 'credits')} expected"


def _absence(snapshot: Snapshot, options: DrawOptions) -> str:
    if snapshot.ledger is None:
        return _OFF
    if options.filter:
        return f"No budget matches “{clean(options.filter, 40)}”."
    return _UNUSED


def title(_snapshot: Snapshot, options: DrawOptions) -> str:
    """The title, with the order and the filter where they are not the usual ones."""
    parts = ["budgets"]
    if options.ledger.sort != BUDGET_SORTS[0]:
        parts.append(f"by {options.ledger.sort}")
    if options.filter:
        parts.append("/" + clean(options.filter, 24))
    return " · ".join(parts)


def _ticks(snapshot: Snapshot) -> bool:
    return snapshot.ledger is not None and any(b.zero_in_s for b in snapshot.ledger.budgets)


PANEL = Panel("budgets", lines, title, heads=heads, ticks=_ticks)
