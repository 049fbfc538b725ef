"""The GPU pool: one row per physical GPU, MIG instances below; more fold into columns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tokentop.domain.gpu_pool import vram_bytes
from tokentop.domain.snapshot import Gpu, Snapshot
from tokentop.domain.text import DASH, cell_width, clean, fit, fmt_percent, gib, known
from tokentop.views.tui.draw.kit.cells import sparkline
from tokentop.views.tui.draw.kit.glyphs import age, meter
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, dimmed, exact, sentence
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.layout import (
    ALL,
    ENGINES,
    GPUS,
    LARGE,
    MEDIUM,
    SMALL,
    STACK,
    Place,
    rising,
)
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, driver, waiting
from tokentop.views.tui.draw.panel import Panel, Places
from tokentop.views.tui.draw.panels.gpus import vram_split
from tokentop.views.tui.draw.panels.gpus.rows import (
    arranged,
    columns,
    fill,
    foreign,
    gap_at,
    short_name,
)

_NARROWEST = 8  # a matrix cell: index, bar, per cent
_LEGEND_FROM = 60  # cells of width
_HOT_C, _FULL = 85.0, 0.95
_WORDS = {
    "suspended": "suspended — asleep to save power",
    "lost": "lost",
    "error": "error",
}


class _Context(NamedTuple):
    """What every row is drawn with; `nodes` are other hosts' short names by node."""

    options: DrawOptions
    engines: vram_split.Engines
    nodes: Mapping[str, str]


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The pool in exactly `height` lines of `width` cells."""
    if not snapshot.gpus:
        return sentence(_absence(snapshot), width, height)
    rows = arranged(snapshot.gpus, options.sort, options.filter)
    if not rows:
        return sentence(f"No GPU matches “{clean(options.filter, 40)}”.", width, height)
    nodes = foreign(snapshot.gpus, snapshot.host)
    ctx = _Context(options, {engine.id: engine for engine in snapshot.engines}, nodes)
    across = _across(len(rows), width, height)
    if len(rows) > across * height and height >= 3:
        return _scrolled(rows, across, width, height, ctx)
    table = _table(rows, across, width, height, ctx)
    if len(table) < height and width >= _LEGEND_FROM:
        table.append(vram_split.legend(rows, ctx.engines))
    return block(table, width, height)


def _scrolled(rows: list[Gpu], across: int, width: int, height: int, ctx: _Context) -> list[Line]:
    """As many rows as there is room for, and a last line with the position."""
    room = across * (height - 1)
    start = max(0, min(ctx.options.offset, len(rows) - room))
    place = f"{start + 1}–{start + room} of {len(rows)}"
    table = _table(rows, across, width, height - 1, ctx)
    return block([*table, [(place, "text"), (" · j k to scroll", "dim")]], width, height)


def _table(rows: list[Gpu], across: int, width: int, height: int, ctx: _Context) -> list[Line]:
    if across == 1:
        shown = visible(rows, height, ctx.options.offset)
        cols = columns(rows, width, ctx.nodes, always=ctx.options.hosts)
        drawn = [_row(g, cols, width, ctx) for g in shown]
        return striped(drawn)
    return _matrix(rows, across, width, height, ctx)


def heads(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> Line:
    """The column headings; none where GPUs stand in several columns."""
    rows = arranged(snapshot.gpus, options.sort, options.filter)
    if not rows or _across(len(rows), width, height) > 1:
        return []
    cols = columns(rows, width, foreign(snapshot.gpus, snapshot.host), always=options.hosts)
    cells = [fit(c.head, c.width, c.align) for c in cols]
    return [((" " * gap_at(width)).join(cells), "dim")]


def title(_snapshot: Snapshot, options: DrawOptions) -> str:
    """The panel's title, with the order and the filter where they are not the usual ones."""
    parts = ["GPU pool"]
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
    count = sum(g.mig is None for g in snapshot.gpus)
    return [
        (f"{count} GPU{'s' * (count != 1)} · ", "dim"),
        (gib(used), "bright"),
        (f"/{gib(total)} G", "dim"),
        (fit(fmt_percent(used / total), 5, "right"), "text"),
    ]


def visible(rows: Sequence[Gpu], room: int, offset: int) -> Sequence[Gpu]:
    """The window of rows that `offset` scrolls to, never past the end."""
    start = max(0, min(offset, len(rows) - room))
    return rows[start : start + max(0, room)]


def _across(count: int, width: int, height: int) -> int:
    """The columns of GPUs it takes for all of them to fit, as far as the width allows."""
    wanted = -(-count // max(1, height))
    return max(1, min(wanted, (width + 2) // (_NARROWEST + 2)))


def _matrix(rows: list[Gpu], across: int, width: int, height: int, ctx: _Context) -> list[Line]:
    shown = visible(rows, across * height, ctx.options.offset)
    down = -(-len(shown) // across)  # evenly filled columns
    room = (width + 2) // across - 2
    cols = columns(rows, room, ctx.nodes, always=ctx.options.hosts)
    table: list[Line] = []
    for y in range(down):
        line: Line = []
        for gpu in shown[y::down]:
            line += [("  ", "text")] if line else []
            line += _row(gpu, cols, room, ctx)
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


def _row(gpu: Gpu, cols: Sequence[Column], width: int, ctx: _Context) -> Line:
    gap = (" " * gap_at(width), "text")
    figures = [c for c in cols if c.key != "processes"]
    oldest = figures[-1]  # the least important figure is replaced by a stale row's age
    line: Line = []
    for column in cols:
        if column.key == "bar" and gpu.state in _WORDS:
            line += [gap, (_words(gpu), _note_style(gpu))]
            break
        nameless = (
            gpu.mig is not None and cols[1].key not in ("name", "place") and column.key == "index"
        )
        cell = (
            [(fit("└", column.width, "right"), "dim")]
            if nameless
            else _cell(gpu, column, ctx, aged=gpu.state == "stale" and column is oldest)
        )
        line += [gap, *cell] if line else cell
    line = exact([s for s in line if s[0]], width)
    return dimmed([line])[0] if gpu.state in ("stale", "suspended") else line


def _cell(gpu: Gpu, column: Column, ctx: _Context, *, aged: bool = False) -> Line:
    """One cell of exactly the column's width; `aged` writes the age there instead."""
    width = column.width
    if aged:
        text = f"{age(gpu.age_s, ctx.options)} old"
        return [(fit(text if len(text) <= width else text[:-4], width, "right"), "stale")]
    if column.key == "bar":
        return _bar(gpu, width, ctx.engines)
    if column.key == "load":
        return meter(gpu.utilization, width)
    if column.key == "vram":
        return _vram(gpu, width)
    if column.key == "power":
        return _power(gpu, width)
    if column.key == "processes":
        return [(fit(vram_split.listed(gpu, ctx.engines), width), "dim")]
    text, style = _plain_cell(gpu, column.key, ctx.nodes.get(gpu.node or "", ""))
    if column.key in ("node", "place") and cell_width(text) > width > 1 and gpu.node in ctx.nodes:
        text = "…" + text[1 - width :]  # hosts begin alike and differ at their ends
    if width == 3:
        text = text.removesuffix("%")
    return [(fit(text, width, column.align), style if text != DASH else "dim")]


def _plain_cell(gpu: Gpu, key: str, node: str) -> tuple[str, str]:
    if key == "node" or (key == "place" and node):
        return node, "dim"
    if key == "index":
        return ("" if gpu.mig or gpu.index is None else str(gpu.index)), "dim"
    if key in ("name", "place"):
        return short_name(gpu), "dim" if gpu.mig else "text"
    if key == "fill":
        share = fill(gpu)
        return fmt_percent(share), "warn" if (share or 0.0) >= _FULL else "text"
    if key == "util":
        return fmt_percent(gpu.utilization), "bright"
    if gpu.mig:  # temperature and power are the whole card's
        return "", "dim"
    return _degrees(gpu.temperature_c)


def _degrees(value: float | None) -> tuple[str, str]:
    if not known(value):
        return DASH, "dim"
    return f"{value:.0f}°", "warn" if value >= _HOT_C else "text"


def _bar(gpu: Gpu, width: int, engines: vram_split.Engines) -> Line:
    if gpu.memory_shared and fill(gpu) is None:
        return [(fit("shared memory" if width >= 13 else "shared", width), "dim")]
    if width <= 2 and fill(gpu) is not None:  # too narrow for a bar: a level
        return [(fit(sparkline([fill(gpu)], 1), width), "bar")]
    return vram_split.split(gpu, engines, width) or meter(fill(gpu), width)


def _vram(gpu: Gpu, width: int) -> Line:
    if fill(gpu) is None:
        return [(fit(DASH, width, "right"), "dim")]
    used, total = gib(gpu.vram_used_bytes), gib(gpu.vram_total_bytes)
    half = (width - 3) // 2
    return exact(
        [(fit(used, half, "right"), "bright"), (f"/{fit(total, half, 'right')} G", "dim")], width
    )


def _power(gpu: Gpu, width: int) -> Line:
    """Watts of the limit; a MIG instance has none of its own."""
    if gpu.mig:
        return [(" " * width, "dim")]
    if not known(gpu.power_w):
        return [(fit(DASH, width, "right"), "dim")]
    if not known(gpu.power_limit_w):
        return [(fit(f"{gpu.power_w:.0f} W", width, "right"), "text")]
    half = (width - 3) // 2
    limit = f"/{fit(f'{gpu.power_limit_w:.0f}', half, 'right')} W"
    return exact([(fit(f"{gpu.power_w:.0f}", half, "right"), "text"), (limit, "dim")], width)


def _words(gpu: Gpu) -> str:
    note = clean(gpu.note or "", 120)
    word = _WORDS[gpu.state]
    return word if not note or gpu.state == "suspended" else f"{word} — {note}"


def _note_style(gpu: Gpu) -> str:
    return "stale" if gpu.state == "suspended" else "error"


def _absence(snapshot: Snapshot) -> str:
    nvml = driver(snapshot)
    if waiting(snapshot):
        return "Looking for GPUs…"
    if nvml is not None and nvml.error:
        why = clean(nvml.error, 160)
        return f"No GPU is known. {why[:1].upper()}{why[1:]}"
    return "No GPU known to driver or services."


def _places(inputs: LayoutInputs) -> Places:
    """A row a GPU; more than eight of them wait for room, and fold where there is none."""
    rows = max(1, inputs.gpu_rows)
    framed, ruled = rising(3 + min(rows, 8), 3 + rows), rising(1 + min(rows, 8), 1 + rows)
    legend = (*framed, 4 + rows)
    return (
        Place(LARGE, 3, framed, "frame", flex=rows > 16, contents=STACK),
        Place(LARGE, 3, legend, "frame", flex=rows > 16, contents=(*ENGINES, *GPUS)),
        Place(MEDIUM, 3, ruled, "rule", 1, flex=rows > 8, contents=ALL),
        Place(
            SMALL, 2, rising(min(rows, 4), rows), inset=1, flex=True, inset_from=30, contents=ALL
        ),
    )


PANEL = Panel(
    "gpus",
    lines,
    title,
    summary,
    heads,
    places=_places,
    ticks=lambda snapshot: any(g.state == "stale" for g in snapshot.gpus),
    opens="gpus",
)
