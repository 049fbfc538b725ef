"""The processes on the GPUs: one row each, GPU by GPU, the largest first."""

from collections.abc import Mapping
from typing import NamedTuple

from tokentop.domain.snapshot import Gpu, Process, Snapshot
from tokentop.domain.text import DASH, clean, fit, gib
from tokentop.views.tui.draw.kit.format import engine_name
from tokentop.views.tui.draw.kit.glyphs import old
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, dimmed, sentence, sides
from tokentop.views.tui.draw.layout import GPUS, LARGE, MEDIUM, Place, rising
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, Places
from tokentop.views.tui.draw.panels.gpus.rows import arranged


class Row(NamedTuple):
    """One process on one GPU; `process` is None where the driver refuses to list them."""

    gpu: Gpu
    process: Process | None


def rows(snapshot: Snapshot, options: DrawOptions) -> list[Row]:
    """The rows in the order of the GPU pool, filtered as it is."""
    found: list[Row] = []
    for gpu in arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse):
        if gpu.processes is None:
            found += [Row(gpu, None)] if gpu.source == "nvml" and gpu.state == "ok" else []
            continue
        ranked = sorted(gpu.processes, key=lambda p: (-(p.vram_bytes or 0), p.pid))
        found += [Row(gpu, process) for process in ranked]
    return found


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The list under its headings in exactly `height` lines of `width` cells."""
    found = rows(snapshot, options)
    if not found:
        words = "No process holds VRAM here; those of another host are not listed."
        return sentence(words, width, height)
    room = max(0, height - 1)
    start = max(0, min(options.offset, len(found) - room))
    names = {engine.id: f"{engine_name(engine)} · {engine.kind}" for engine in snapshot.engines}
    drawn = [_row(row, width, names, options) for row in found[start : start + room]]
    return block([_heads(width), *drawn], width, height)


def _heads(width: int) -> Line:
    user = f" {fit('user', 10)}" if width >= 48 else ""
    return [(f"{fit('gpu', 3, 'right')} {fit('pid', 8, 'right')}{user}    VRAM    process", "dim")]


def _row(row: Row, width: int, names: Mapping[str, str], options: DrawOptions) -> Line:
    index = DASH if row.gpu.index is None else str(row.gpu.index)
    place = (fit(index, 3, "right"), "dim")
    if row.process is None:
        return [place, ("  the driver does not list the processes of other users here", "dim")]
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
        line.append((f"  {clean(names.get(process.engine, process.engine), 60)}", "dim"))
    if row.gpu.state in ("ok", "suspended"):
        return line
    return sides(dimmed([line])[0], [(f"  {old(row.gpu.age_s, options)}", "stale")], width)


def _places(inputs: LayoutInputs) -> Places:
    """On the dashboard of a box that has nothing but GPUs."""
    rows = max(1, inputs.process_rows)
    if inputs.waiting:
        return ()
    return (
        Place(LARGE, 5, (0, *rising(3 + min(rows, 4), 3 + rows)), "frame", contents=GPUS),
        Place(MEDIUM, 5, (0, *rising(2 + min(rows, 3), 2 + rows)), "rule", 1, contents=GPUS),
    )


def _ticks(snapshot: Snapshot) -> bool:
    return any(g.processes and g.state not in ("ok", "suspended") for g in snapshot.gpus)


PANEL = Panel("processes", lines, "Processes", places=_places, ticks=_ticks)
