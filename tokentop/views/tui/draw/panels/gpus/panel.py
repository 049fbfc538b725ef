"""The GPU pool: one row per physical GPU, MIG instances below; more fold into columns."""

from collections.abc import Sequence

from tokentop.domain.gpu_pool import vram_bytes, wholes
from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot import Gpu, Service, Snapshot
from tokentop.domain.text import clean, fit, fmt_percent, gib
from tokentop.views.tui.draw.kit.glyphs import age
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, sentence
from tokentop.views.tui.draw.kit.table import Column, Order, column_at, headings
from tokentop.views.tui.draw.layout import (
    ALL,
    LARGE,
    MEDIUM,
    SMALL,
    Place,
    rising,
)
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, driver, driver_trouble, waiting
from tokentop.views.tui.draw.panel import Panel, Places
from tokentop.views.tui.draw.panels.gpus import vram_split
from tokentop.views.tui.draw.panels.gpus.cells import Context, row
from tokentop.views.tui.draw.panels.gpus.rows import (
    FIGURES,
    SORTED,
    arranged,
    columns,
    foreign,
    gap_at,
)

_NARROWEST = 8  # a matrix cell: index, bar, per cent
_LEGEND_FROM = 60  # cells of width
_DRIVER_WORDS: dict[FailureKind | None, str] = {"driver": "fails", "absent": "gone"}


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The pool in exactly `height` lines of `width` cells."""
    if not snapshot.gpus:
        return sentence(_absence(snapshot), width, height)
    rows = arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse)
    if not rows:
        return sentence(f"No GPU matches “{clean(options.filter, 40)}”.", width, height)
    nodes = foreign(snapshot.gpus, snapshot.host)
    ctx = Context(options, {engine.id: engine for engine in snapshot.engines}, nodes)
    across = _across(len(rows), width, height)
    if len(rows) > across * height and height >= 3:
        return _scrolled(rows, across, width, height, ctx)
    table = _table(rows, across, width, height, ctx)
    notes = [_driver_sentence(snapshot)]
    notes += [vram_split.legend(rows, ctx.engines)] if width >= _LEGEND_FROM else []
    return block([*table, *filter(None, notes)], width, height)


def _scrolled(rows: list[Gpu], across: int, width: int, height: int, ctx: Context) -> list[Line]:
    """As many rows as there is room for, and a last line with the position."""
    room = across * (height - 1)
    start = max(0, min(ctx.options.offset, len(rows) - room))
    place = f"{start + 1}–{start + room} of {len(rows)}"
    table = _table(rows, across, width, height - 1, ctx)
    return block([*table, [(place, "text"), (" · j k to scroll", "dim")]], width, height)


def _table(rows: list[Gpu], across: int, width: int, height: int, ctx: Context) -> list[Line]:
    if across == 1:
        shown = visible(rows, height, ctx.options.offset)
        cols = columns(rows, width, ctx.nodes, always=ctx.options.hosts)
        drawn = [row(g, cols, width, ctx) for g in shown]
        return striped(drawn)
    return _matrix(rows, across, width, height, ctx)


def heads(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> Line:
    """The column headings; none where GPUs stand in several columns."""
    rows = arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse)
    if not rows or _across(len(rows), width, height) > 1:
        return []
    order = Order(options.sort, SORTED, (options.sort in FIGURES) != options.reverse)
    return headings(_columns(snapshot, rows, width, options), lambda _: gap_at(width), order)


def sort_at(
    snapshot: Snapshot, width: int, height: int, x: int, options: DrawOptions
) -> str | None:
    """The sort that the heading in cell `x` stands for; none where GPUs stand in columns."""
    rows = arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse)
    if not rows or _across(len(rows), width, height) > 1:
        return None
    column = column_at(_columns(snapshot, rows, width, options), lambda _: gap_at(width), x)
    return SORTED.get(column.key) if column else None


def _columns(snapshot: Snapshot, rows: list[Gpu], width: int, options: DrawOptions) -> list[Column]:
    nodes = foreign(snapshot.gpus, snapshot.host)
    return columns(rows, width, nodes, always=options.hosts)


def title(snapshot: Snapshot, options: DrawOptions) -> str:
    """The panel's title, with the driver's trouble, and an unusual order or filter."""
    parts = ["GPU pool"]
    if (driver := driver_trouble(snapshot)) is not None and driver.reason != "gpu-lost":
        parts.append(_driver_words(driver, options))
    if options.sort != "index":
        parts.append(f"by {options.sort}")
    if options.filter:
        parts.append("/" + clean(options.filter, 24))
    return " · ".join(parts)


def summary(snapshot: Snapshot, _options: DrawOptions) -> Line:
    """VRAM used of total over the pool, with how many GPUs there are."""
    sizes = vram_bytes(snapshot.gpus)
    if sizes is None:
        return []
    used, total = sizes
    serving, count = wholes(snapshot.gpus)
    of = f"{serving} of {count}" if serving < count else f"{count}"
    return [
        (f"{of} GPU{'s' * (count != 1)} · ", "dim"),
        (gib(used), "bright"),
        (f"/{gib(total)} G", "dim"),
        (fit(fmt_percent(used / total), 5, "right"), "text"),
    ]


def _driver_words(driver: Service, options: DrawOptions) -> str:
    """`driver silent 12s`, `driver fails`, `driver slow`."""
    if driver.state == "online":
        return "driver slow"
    word = _DRIVER_WORDS.get(driver.reason, "silent")
    return f"driver {word}" + (f" {age(driver.age_s, options)}" if driver.age_s is not None else "")


def _driver_sentence(snapshot: Snapshot) -> Line:
    """What is wrong with the driver and what to do about it; empty where it is well."""
    driver = driver_trouble(snapshot)
    if driver is None or driver.reason == "gpu-lost":
        return []
    text = clean(driver.error or "", 240)
    return [(text[:1].upper() + text[1:], "warn" if driver.state == "online" else "error")]


def visible(rows: Sequence[Gpu], room: int, offset: int) -> Sequence[Gpu]:
    """The window of rows that `offset` scrolls to, never past the end."""
    start = max(0, min(offset, len(rows) - room))
    return rows[start : start + max(0, room)]


def _across(count: int, width: int, height: int) -> int:
    """The columns of GPUs it takes for all of them to fit, as far as the width allows."""
    wanted = -(-count // max(1, height))
    return max(1, min(wanted, (width + 2) // (_NARROWEST + 2)))


def _matrix(rows: list[Gpu], across: int, width: int, height: int, ctx: Context) -> list[Line]:
    shown = visible(rows, across * height, ctx.options.offset)
    down = -(-len(shown) // across)  # evenly filled columns
    room = (width + 2) // across - 2
    cols = columns(rows, room, ctx.nodes, always=ctx.options.hosts)
    table: list[Line] = []
    for y in range(down):
        line: Line = []
        for gpu in shown[y::down]:
            line += [("  ", "text")] if line else []
            line += row(gpu, cols, room, ctx)
        table.append(line)
    return striped(table)


def striped(rows: Sequence[Line]) -> list[Line]:
    """Every other row's bars a shade apart, so that full bars do not melt into one slab."""
    odd = {"bar": "bar.alt"} | {
        f"{use}.{a}": f"{use}.{b}"
        for use in ("hold", "bar", "on")
        for a, b in (("used", "used2"), ("used2", "used"), ("held", "held2"), ("held2", "held"))
    }
    return [
        [(text, odd.get(style, style)) for text, style in row] if y % 2 else row
        for y, row in enumerate(rows)
    ]


def _absence(snapshot: Snapshot) -> str:
    nvml = driver(snapshot)
    if waiting(snapshot):
        return "Looking for GPUs…"
    if nvml is not None and nvml.error:
        why = clean(nvml.error, 160)
        return f"No GPU is known. {why[:1].upper()}{why[1:]}"
    return "No GPU is known."


def _places(inputs: LayoutInputs) -> Places:
    """A row a GPU; more than eight of them wait for room, and fold where there is none."""
    rows = inputs.gpu_rows
    if not rows:
        return ()
    framed, ruled = rising(3 + min(rows, 8), 3 + rows), rising(1 + min(rows, 8), 1 + rows)
    framed = (*framed, 4 + rows) if inputs.engines else framed  # with the legend
    return (
        Place(LARGE, 3, framed, "frame", flex=rows > 16, contents=ALL),
        Place(MEDIUM, 3, ruled, "rule", 1, flex=rows > 8, contents=ALL),
        Place(
            SMALL, 2, rising(min(rows, 4), rows), inset=1, flex=True, inset_from=30, contents=ALL
        ),
    )


def _ticks(snapshot: Snapshot) -> bool:
    aged = any(g.state not in ("ok", "suspended") for g in snapshot.gpus)
    return aged or driver_trouble(snapshot) is not None


PANEL = Panel(
    "gpus",
    lines,
    title,
    summary,
    heads,
    places=_places,
    ticks=_ticks,
    opens="gpus",
)
