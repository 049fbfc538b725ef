"""One project, user or team: its budgets, its flags, who and what spends, its last events."""

from collections.abc import Callable, Sequence

from tokentop.domain.ledger.listing import SEARCHED, Listed, Page, grouped
from tokentop.domain.numbers import ratio
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_ledger import Budget, Flag, Project
from tokentop.domain.text import (
    DASH,
    clean,
    fit,
    fmt_count,
    fmt_duration,
    fmt_percent,
    fmt_usd,
    known,
)
from tokentop.light_typing import TYPE_CHECKING
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.cells import sparkline
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    exact,
    joined,
    sentence,
    sides,
    window,
    wrapped,
)
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.ledger import entry_rows, marks
from tokentop.views.tui.draw.panels.ledger.budget_rows import Row, all_rows, pending
from tokentop.views.tui.draw.panels.ledger.budgets import flagged

if TYPE_CHECKING:
    from tokentop.domain.ledger.totals import Totals

_NAMED = 6  # rows of each table
_EVENTS = 8
_SUMS = (
    (56, Column("requests", "requests", 10)), (44, Column("tokens", "tokens", 8)),
    (0, Column("credits", "credits", 9)), (24, Column("share", "share", 7)),
)  # fmt: skip
_THREE = 110  # cells from which the tables stand side by side


def panel(key: str) -> Panel:
    """The panel of the row with that key, and of whatever else its user, project or team has."""

    def inside(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        rows = found(snapshot, key)
        if not rows:
            return sentence("This is not there any more; esc goes back.", width, height)
        return window(page(rows, width, options), width, height, options.offset)

    def title(snapshot: Snapshot, _options: DrawOptions) -> str:
        rows = found(snapshot, key)
        return f"{rows[0].scope} {clean(rows[0].who, 60)}" if rows else "budget"

    def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
        rows = found(snapshot, key)
        if not rows:
            return []
        text, style = marks.word(rows[0].state)
        mark, colour = marks.symbol(rows[0].state, options)
        return [(f"{mark} ", colour), (text, style)]

    return Panel("budget", inside, title, summary, ticks=lambda _: True)


def found(snapshot: Snapshot, key: str) -> list[Row]:
    """The row with that key first, then the others of the same user, project or team."""
    rows = all_rows(snapshot.ledger) if snapshot.ledger is not None else []
    one = next((row for row in rows if row.key == key), None)
    if one is None:
        return []
    return [one, *(r for r in rows if (r.scope, r.who) == (one.scope, one.who) and r != one)]


def page(rows: Sequence[Row], width: int, options: DrawOptions) -> list[Line]:
    """All rows of the page, whatever the height."""
    row, entries = rows[0], options.ledger.page
    drawn: list[Line] = []
    for one in rows:
        drawn += _budget(one.budget, one, width, options) if one.budget else []
    drawn += _project(row.project, width) if row.project else []
    drawn += [line for flag in row.flags for line in _flag(flag, width)]
    drawn += [[]] if row.flags else []
    used = [each for each in entries.rows if each.entry.kind in ("usage", "reversal")]
    if not used:
        return [*drawn, [(_nothing(entries), "warn" if entries.problem else "dim")]]
    return [
        *drawn,
        *_spend(used, entries, width, options),
        [],
        *_tables(used, row, width),
        [],
        *_events(entries.rows, width, options),
    ]


def _nothing(entries: Page) -> str:
    among = f" among the newest {SEARCHED:,} of" if entries.beyond else " in"
    return entries.problem or f"No entry of it is{among} the ledger."


def _budget(budget: Budget, row: Row, width: int, options: DrawOptions) -> list[Line]:
    """The bar with its clock, then the figures behind it."""
    of = "in all" if budget.period == "total" else f"of the {budget.period}"
    left: Line = [(f"{clean(budget.name, 40)} ", "title"), (of, "dim")]
    clock, style = marks.clock(budget, options)
    right: Line = [("to zero ", "dim"), (clock, style)]
    room = max(0, min(width, 100))
    facts = joined([
        [(marks.spent(budget), "bright"), (" spent", "dim")],
        _fact("burn", fmt.amount(budget.burn_per_hour, budget.unit), "/h"),
        _fact("left at end", fmt.amount(budget.left_at_end, budget.unit), _ends(budget)),
        _reserve(budget),
        _fact("passed", fmt_percent(budget.threshold), "") if known(budget.threshold) else [],
    ], "   ")  # fmt: skip
    return [
        sides(left, right, room),
        marks.bar(budget, row.state, room),
        *_broken(facts, width),
        [],
    ]


def _ends(budget: Budget) -> str:
    return f" ({budget.ends_at[:10]})" if budget.ends_at else ""


def _fact(name: str, value: str, unit: str) -> Line:
    return [(f"{name} ", "dim"), (value, "dim" if value == DASH else "text"), (unit, "dim")]


def _reserve(budget: Budget) -> Line:
    """The innovation reserve, which is accounted apart."""
    if budget.reserve is None:
        return []
    pair = (fmt.amount(each, budget.unit) for each in (budget.reserve_spent, budget.reserve))
    return _fact("reserve", "/".join(pair), " " + marks.UNITS[budget.unit])


def _broken(line: Line, width: int) -> list[Line]:
    """A line of figures in as many rows as it takes: broken where three blanks part two figures."""
    rows: list[Line] = [[]]
    used = 0
    for part in _parts(line):
        size = sum(len(text) for text, _ in part)
        if rows[-1] and used + 3 + size > width:
            rows, used = [*rows, []], 0
        gap: Line = [("   ", "dim")] if rows[-1] else []
        rows[-1] += [*gap, *part]
        used += size + 3 * bool(gap)
    return rows


def _parts(line: Line) -> list[Line]:
    parts: list[Line] = [[]]
    for span in line:
        if span[0] == "   ":
            parts.append([])
        else:
            parts[-1].append(span)
    return parts


def _project(project: Project, width: int) -> list[Line]:
    """What it spent today, and what came of it."""
    velocity = project.velocity
    inverse = f" ({fmt_count(1 / velocity)} cr per USD)" if known(velocity) and velocity else ""
    facts = joined([
        [("today", "title")],
        _fact("requests", fmt_count(project.requests), ""),
        _fact("tokens", fmt_count(project.tokens), ""),
        _fact("credits", fmt_count(project.credits), ""),
        _fact("list price", fmt_usd(project.usd), ""),
        _fact("velocity", fmt_usd(velocity), f"/cr{inverse}" if inverse else ""),
    ], "   ")  # fmt: skip
    rows = _broken(facts, width)
    if project.stopped:
        why = f"Stopped: {clean(project.why or 'no reason is given', 200)}. x resumes it."
        rows += [[(part, "error")] for part in wrapped(why, width, 3)]
    return [*rows, []]


def _flag(flag: Flag, width: int) -> list[Line]:
    """One flag: what it is, what was decided of its like before, and whether it waits."""
    waits = bool(pending((flag,)))
    state = "waits for a person: f classifies it" if waits else f"was found {flag.classified}"
    if not waits and flag.classified is None:
        state = "needs no one: its like was seen before"
    before = f"; the one before was {flag.precedent}" if flag.precedent else ""
    style = ("error" if flag.running else "warn") if waits else "dim"
    return [[(part, style)] for part in wrapped(f"{flagged(flag)} It {state}{before}.", width, 3)]


def _spend(used: Sequence[Listed], entries: Page, width: int, options: DrawOptions) -> list[Line]:
    """Credits, else tokens, over the time of the entries that were read, newest at the right."""
    room = max(8, min(width, 100))
    times = [row.entry.at_us / 1e6 for row in used]
    first, last = min(times), max(times)
    weigh, unit = _weight(used)
    slots = [0.0] * room
    for row, at in zip(used, times, strict=True):
        place = int((at - first) / (last - first) * (room - 1)) if last > first else room - 1
        slots[place] += weigh(row)
    read = len(entries.rows)
    span = f"{read}{' newest' * entries.more} entries over {fmt_duration(last - first)}"
    head = sides([(f"spend, {unit}", "title")], [(span, "dim")], room)
    top = max(slots) or None
    return [head, [(sparkline(slots, room, top=top, ascii=options.ascii), "bar.line")]]


def _weight(rows: Sequence[Listed]) -> tuple[Callable[[Listed], float], str]:
    """What is summed: credits where they are known of any entry, else tokens; with its name."""
    if any(row.entry.milli_credits is not None for row in rows):
        return lambda row: (row.entry.milli_credits or 0) / 1000, "credits"
    return lambda row: float((row.entry.prompt or 0) + (row.entry.generated or 0)), "tokens"


def _tables(rows: Sequence[Listed], row: Row, width: int) -> list[Line]:
    """By user, model and task; a user's or a team's by project first."""
    by: list[tuple[str, Callable[[Listed], str | None]]] = [
        ("user", lambda r: r.user), ("model", lambda r: r.entry.model),
        ("task", lambda r: r.entry.task or r.entry.session),
    ]  # fmt: skip
    if row.scope != "project":
        by[0] = ("project", lambda r: r.entry.project)
    column = (width - 4) // 3 if width >= _THREE else width
    tables = [_table(name, grouped(rows, get), column) for name, get in by]
    if width < _THREE:
        return [line for i, table in enumerate(tables) for line in (*[[]] * (i > 0), *table)]
    height = max(map(len, tables))
    columns = (block(table, column, height) for table in tables)
    return [[*a, ("  ", "text"), *b, ("  ", "text"), *c] for a, b, c in zip(*columns, strict=True)]


def _table(name: str, groups: "list[tuple[str | None, Totals]]", width: int) -> list[Line]:
    """The largest of one kind: requests and tokens where there is room, credits and their share."""
    everything = sum(totals.milli_credits for _, totals in groups)
    cols = [column for least, column in _SUMS if width >= least]
    head = "".join(fit(column.head, column.width, "right") for column in cols)
    rows = [sides([(f"by {name}", "title")], [(head, "dim")], width)]
    for key, totals in groups[:_NAMED]:
        words = _words(totals, everything)
        figures: Line = [
            (fit(words[c.key], c.width, "right"), "bright" if c.key == "credits" else "text")
            for c in cols
        ]
        rows.append(sides([(clean(key or DASH, 60), "text")], figures, width))
    if len(groups) > _NAMED:
        rows.append([(f"and {len(groups) - _NAMED} more", "dim")])
    return rows


def _words(totals: "Totals", everything: int) -> dict[str, str]:
    return {
        "requests": fmt_count(totals.requests),
        "tokens": fmt_count(totals.prompt + totals.generated),
        "credits": entry_rows.credits_of(totals),
        "share": fmt_percent(ratio(totals.milli_credits, everything)),
    }


def _events(rows: Sequence[Listed], width: int, options: DrawOptions) -> list[Line]:
    """Its newest entries, as the ledger's view has them."""
    cols = entry_rows.columns(width)
    drawn = [exact(entry_rows.drawn(row, cols, options), width) for row in rows[:_EVENTS]]
    return [entry_rows.headings(cols), *drawn]
