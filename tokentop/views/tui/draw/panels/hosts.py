"""The hosts, a row each, with their totals above; only rows on the screen are drawn."""

from collections.abc import Sequence
from functools import partial

from tokentop.domain.hosts import HostRow, Totals, listed, totals
from tokentop.domain.numbers import ratio
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import (
    clean,
    fit,
    fmt_age,
    fmt_count,
    fmt_multiplier,
    fmt_percent,
    fmt_usd,
    known,
)
from tokentop.views.palette import engine_symbol, tier_style, tier_theme
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.glyphs import meter
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    joined,
    sentence,
    span_width,
)
from tokentop.views.tui.draw.kit.table import Column, Order, column_at, headings
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.engines.rows import start_at

TOP = 2  # rows above the first host: the totals, and the headings
TIB = 2**40
_HEALTH = {"down": "offline", "starting": "starting", "ok": "online", "degraded": "online"}
_STYLES = {"down": "error", "starting": "warn", "degraded": "warn", "ok": "active"}


def lines(_snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """Totals and table in exactly `height` lines of `width` cells."""
    above = _totals(options, width)
    wanted, reverse = options.filter, options.host_reverse
    rows = listed(options.fleet, options.host_sort, wanted, reverse=reverse)
    if not rows:
        return [exact(above, width), *sentence(_absence(options), width, height - 1)]
    room = rooms(len(rows), height)
    at = place_of(rows, options.host_cursor)
    start = start_at(len(rows), room, options.offset, at)
    cols = columns(width)
    drawn = [
        _row(row, cols, width, options, selected=start + i == at)
        for i, row in enumerate(rows[start : start + room])
    ]
    if len(rows) > room:
        place = f"{start + 1}–{start + room} of {len(rows)}"
        drawn.append([(place, "text"), (" · j k to move, enter opens", "dim")])
    return block([above, heads(cols, options), *drawn], width, height)


def rooms(count: int, height: int) -> int:
    """How many of so many hosts have a row in a panel of `height` lines."""
    room = max(1, height - TOP)
    return room - 1 if count > room > 1 else room


def place_of(rows: Sequence[HostRow], cursor: str) -> int:
    """The row under the cursor; the first where it is not listed."""
    return next((i for i, row in enumerate(rows) if row.key == cursor), 0)


def columns(width: int) -> list[Column]:
    """The columns that fit in `width`, the name taking what the others leave."""
    wide = (
        (0, Column("mark", "", 1, "left")),
        (0, Column("name", "host", 0, "left")),
        (36, Column("tier", "tier", 9, "left")),
        (30, Column("load", "load", 5)),
        (84, Column("multiplier", "mult", 6)),
        (58, Column("gpus", "GPUs", 7)),
        (108, Column("bar", "VRAM", 14, "left")),
        (72, Column("vram", "VRAM" if width < 108 else "", 4)),
        (96, Column("active", "active", 6)),
        (46, Column("queue", "queue", 6)),
        (52, Column("speed", "tok/s", 6)),
        (78, Column("cost", "$/h", 8)),
        (0, Column("age", "age", 4)),
    )
    kept = [column for least, column in wide if width >= least]
    spent = sum(c.width for c in kept) + 2 * (len(kept) - 2) + 1
    return [c._replace(width=max(0, width - spent)) if c.key == "name" else c for c in kept]


_SORTED = {
    "name": "name", "tier": "tier", "load": "load", "multiplier": "multiplier", "gpus": "GPUs",
    "bar": "VRAM", "vram": "VRAM", "queue": "queue", "speed": "tok/s", "cost": "cost", "age": "age",
}  # fmt: skip


def heads(cols: Sequence[Column], options: DrawOptions) -> Line:
    """The column headings; names rise, figures fall, unless reversed."""
    falling = (options.host_sort != "name") != options.host_reverse
    return headings(cols, _gap, Order(options.host_sort, _SORTED, falling))


def sort_at(width: int, x: int) -> str | None:
    """The sort that the heading in cell `x` stands for."""
    column = column_at(columns(width), _gap, x)
    return _SORTED.get(column.key) if column else None


def _gap(column: Column) -> int:
    return 1 if column.key == "name" else 2


def _row(
    row: HostRow, cols: Sequence[Column], width: int, options: DrawOptions, *, selected: bool
) -> Line:
    words = _words(row, options)
    line: Line = []
    for column in cols:
        line += [(" " * _gap(column), "text")] if line else []
        line += _cell(row, column, words, options)
    if row.problem is not None:
        line = _silent(row, line)
    if selected:  # the pointer takes the first gap, so that nothing moves
        line[1] = (">" if options.ascii else "▸", "selected")
    return exact(line, width)


def _silent(row: HostRow, cells: Line) -> Line:
    """Why nothing is heard in place of the figures where there are none, else they are dimmed."""
    if row.age_s is not None:
        return [*cells[:2], *dimmed([cells[2:-1]])[0], (cells[-1][0], "warn")]
    text = "  " + clean(row.problem or "", 200)
    return [*cells[:3], (fit(text, span_width(cells[3:])), "warn")]


def _cell(
    row: HostRow, column: Column, words: dict[str, tuple[str, str]], options: DrawOptions
) -> Line:
    """One cell of exactly the column's width."""
    if column.key == "mark":
        state = "stale" if row.problem is not None else _HEALTH.get(row.health, "online")
        style = "warn" if row.problem is not None else _STYLES.get(row.health, "dim")
        return [(engine_symbol(state, plain=options.ascii), style)]
    if column.key == "bar":
        return meter(ratio(*row.vram) if row.vram else None, column.width)
    text, style = words[column.key]
    return [(fit(text, column.width, column.align), style)]


def _words(row: HostRow, options: DrawOptions) -> dict[str, tuple[str, str]]:
    """Each figure as text, with its style."""
    colour, at_least = tier_style(row.tier), partial(fmt.at_least, options)
    load = at_least(holds=row.load_at_least and known(row.load)) + fmt_percent(row.load)
    return {
        "name": (clean(row.name, 80), "text"),
        "tier": (tier_theme(row.tier).word if row.tier else fmt_count(None), colour),
        "load": (load, colour),
        "multiplier": (fmt_multiplier(row.multiplier, ascii=options.ascii), "text"),
        "gpus": (_gpus(row.gpus), "text"),
        "vram": (fmt_percent(ratio(*row.vram) if row.vram else None), "text"),
        "active": (fmt_count(row.active), "text"),
        "queue": (fmt_count(row.queued), "queued" if row.queued else "text"),
        "speed": (fmt.rate(row.tokens_per_s, at_least(holds=row.rate_at_least)), "bright"),
        "cost": (_cost(row, options), "text"),
        "age": (fmt_age(row.age_s), "dim"),
    }


def _cost(of: HostRow | Totals, options: DrawOptions) -> str:
    return fmt.at_least(options, holds=of.cost_at_least and known(of.cost)) + fmt_usd(of.cost)


def _gpus(gpus: tuple[int, int] | None) -> str:
    if gpus is None:
        return fmt_count(None)
    return f"{gpus[1]}" if gpus[0] == gpus[1] else f"{gpus[0]}/{gpus[1]}"


def _totals(options: DrawOptions, width: int) -> Line:
    """The sums over the hosts that are heard; what matters least goes whole where it is narrow."""
    t = totals(options.fleet)
    rate_sign = fmt.at_least(options, holds=t.rate_at_least)
    parts: dict[str, Line] = {
        "hosts": [
            (f"{t.online}", "bright" if t.online == t.hosts else "warn"),
            (f"/{t.hosts} hosts", "dim"),
        ],
        "gpus": [(_gpus(t.gpus), "bright"), (" GPUs", "dim")],
        "vram": _vram(t),
        "active": [(fmt_count(t.active), "bright"), (" active", "dim")],
        "queued": [(fmt_count(t.queued), "queued" if t.queued else "bright"), (" queued", "dim")],
        "speed": [(fmt.rate(t.tokens_per_s, rate_sign), "bright"), (" tok/s", "dim")],
        "cost": [(_cost(t, options), "bright"), ("/h", "dim")] if known(t.cost) else [],
    }
    optional = ("vram", "active", "gpus", "cost", "speed", "queued")
    choices = (
        joined([part for name, part in parts.items() if name not in optional[:n]], "   ")
        for n in range(len(optional) + 1)
    )
    return first_fit(tuple(choices), width)


def _vram(t: Totals) -> Line:
    """`1.0/2.2 TiB VRAM 44%`; nothing where no host says."""
    if t.vram is None:
        return []
    used, size = (f"{each / TIB:.1f}" for each in t.vram)
    share = fmt_percent(ratio(*t.vram))
    return [(used, "bright"), (f"/{size} TiB VRAM ", "dim"), (share, "text")]


def _absence(options: DrawOptions) -> str:
    if options.filter:
        return f"No host matches “{clean(options.filter, 40)}”."
    return "No host is configured: tokentop config --example has one."


def title(_snapshot: Snapshot, options: DrawOptions) -> str:
    """The title, with the order and the filter where they are not the usual ones."""
    parts = ["hosts"]
    if options.host_sort != "name":
        parts.append(f"by {options.host_sort}")
    if options.filter:
        parts.append("/" + clean(options.filter, 24))
    return " · ".join(parts)


PANEL = Panel("hosts", lines, title)
