"""The processes on the GPUs: one row each; on the GPU page with what each of them takes."""

from collections.abc import Mapping, Sequence

from tokentop.domain.snapshot import Process, Snapshot
from tokentop.domain.text import DASH, cell_width, clean, fit, fmt_age, fmt_percent, gib, known
from tokentop.views.tui.draw.kit.format import engine_name
from tokentop.views.tui.draw.kit.glyphs import old
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    sentence,
    sides,
)
from tokentop.views.tui.draw.kit.table import Column, Order, column_at, headings
from tokentop.views.tui.draw.layout import GPUS, LARGE, MEDIUM, Place, rising
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, Places
from tokentop.views.tui.draw.panels.engines.rows import start_at
from tokentop.views.tui.draw.panels.gpus.process_rows import (
    SORTED,
    Row,
    columns,
    falls,
    place_of,
    rows,
)

_UNLISTED = "the driver does not list the processes of other users here"

Engines = Mapping[str, str]  # an engine's name and kind, by its id


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The list under its headings in exactly `height` lines of `width` cells."""
    found = rows(snapshot, options)
    if not found and options.filter:
        return sentence(f"No process matches “{clean(options.filter, 40)}”.", width, height)
    if not found:
        words = "No process holds VRAM here; those of another host are not listed."
        return sentence(words, width, height)
    cut = len(found) > height - 1 > 1
    room = max(0, height - 1 - cut)
    on_page = options.process_cursor is not None
    at = place_of(found, options.process_cursor) if on_page else None
    start = start_at(len(found), room, options.offset, at)
    names = {engine.id: f"{engine_name(engine)} · {engine.kind}" for engine in snapshot.engines}
    shown = found[start : start + room]
    if on_page:
        cols = columns(width)
        drawn = [
            _cells(r, cols, names, options, selected=start + i == at) for i, r in enumerate(shown)
        ]
    else:
        drawn = [_row(row, width, names, options) for row in shown]
    place = f"{start + 1}–{start + len(shown)} of {len(found)}"
    hint = " · j k to move · o sorts · x ends one" if on_page else " · j k to scroll"
    end: list[Line] = [[(place, "text"), (hint, "dim")]] if cut else []
    return block([_heads(width, options), *drawn, *end], width, height)


def _heads(width: int, options: DrawOptions) -> Line:
    if options.process_cursor is None:
        user = f" {fit('user', 10)}" if width >= 48 else ""
        text = f"{fit('gpu', 3, 'right')} {fit('pid', 8, 'right')}{user}    VRAM    process"
        return [(text, "dim")]
    sort = options.process_sort
    order = Order(sort, SORTED, falls(sort) != options.process_reverse)
    return headings(columns(width), _gap, order)


def sort_at(width: int, x: int) -> str | None:
    """The sort that the heading in cell `x` stands for."""
    column = column_at(columns(width), _gap, x)
    return SORTED.get(column.key) if column else None


def _gap(_column: Column) -> int:
    return 1


def _row(row: Row, width: int, names: Engines, options: DrawOptions) -> Line:
    """A row of the dashboard: what holds how much."""
    index = DASH if row.gpu.index is None else str(row.gpu.index)
    place = (fit(index, 3, "right"), "dim")
    if row.process is None:
        return [place, (f"  {_UNLISTED}", "dim")]
    process = row.process
    user = fit(clean(process.user or DASH, 32), 10)
    line: Line = [place, (f" {fit(str(process.pid), 8, 'right')}", "text")]
    line += [(f" {user}", "dim")] if width >= 48 else []
    line += [
        (f" {fit(gib(process.vram_bytes), 7, 'right')}", "bright"),
        (" G  ", "dim"),
        (clean(process.name or DASH, 200), "text"),
    ]
    if process.engine:
        line.append((f"  {_engine(process, names)}", "dim"))
    return _aged(row, line, width, options)


def _cells(
    row: Row, cols: Sequence[Column], names: Engines, options: DrawOptions, *, selected: bool
) -> Line:
    """A row of the GPU page, with the cursor's mark."""
    mark = ">" if options.ascii else "▸"
    line: Line = [(mark, "selected") if selected else (" ", "text")]
    index = DASH if row.gpu.index is None else str(row.gpu.index)
    if row.process is None:
        return [*line, (f" {fit(index, 3, 'right')}  {_UNLISTED}", "dim")]
    engine = _engine(row.process, names)
    for column in cols[1:]:
        text, style = _cell(row, row.process, column, engine)
        text = index if column.key == "gpu" else text
        style = "dim" if text == DASH else style
        line += [(" ", "text"), (fit(text, column.width, column.align), style)]
    return _aged(row, line, sum(c.width + 1 for c in cols) - 1, options)


def _cell(row: Row, process: Process, column: Column, engine: str) -> tuple[str, str]:
    detail = row.detail
    if column.key == "command":
        command = detail.command or clean(process.name or DASH, 200)
        shared = engine and column.head != "command"  # one column for both
        return (f"{engine}  {command}" if shared else command), "text"
    return {
        "gpu": ("", "dim"),
        "pid": (str(process.pid), "text"),
        "user": (clean(process.user or DASH, 32), "dim"),
        "vram": (f"{gib(process.vram_bytes)}G" if known(process.vram_bytes) else DASH, "bright"),
        "sm": (fmt_percent(detail.sm), "bright"),
        "cpu": (fmt_percent(detail.cpu), "text"),
        "memory": (f"{gib(detail.memory_bytes)}G" if known(detail.memory_bytes) else DASH, "text"),
        "age": (fmt_age(detail.age_s), "dim"),
        "engine": (engine or DASH, "text"),
    }[column.key]


def _engine(process: Process, names: Engines) -> str:
    return clean(names.get(process.engine, process.engine), 60) if process.engine else ""


def _aged(row: Row, line: Line, width: int, options: DrawOptions) -> Line:
    """The row of a GPU that has failed, dimmed and with its age."""
    if row.gpu.state in ("ok", "suspended"):
        return line
    age = f"  {old(row.gpu.age_s, options)}"
    line = [*line[:-1], (line[-1][0].rstrip(), line[-1][1])]
    return sides(dimmed([exact(line, width - cell_width(age))])[0], [(age, "stale")], width)


def _places(inputs: LayoutInputs) -> Places:
    """On the dashboard of a box that has nothing but GPUs."""
    rows = max(1, inputs.process_rows)
    if inputs.waiting:
        return ()
    framed = (0, *rising(3 + min(rows, 8), 3 + rows))
    ruled = (0, *rising(2 + min(rows, 3), 2 + rows))
    return (
        Place(LARGE, 5, framed, "frame", flex=True, contents=GPUS),
        Place(MEDIUM, 5, ruled, "rule", 1, flex=True, contents=GPUS),
    )


def _ticks(snapshot: Snapshot) -> bool:
    return any(g.processes and g.state not in ("ok", "suspended") for g in snapshot.gpus)


PANEL = Panel("processes", lines, "Processes", places=_places, ticks=_ticks)
