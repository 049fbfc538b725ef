"""One GPU as one row: its cells, and the words for one that has no figures of now."""

from collections.abc import Mapping, Sequence

from tokentop.domain.gpu_pool import in_service
from tokentop.domain.snapshot import Gpu
from tokentop.domain.text import DASH, cell_width, clean, fit, fmt_percent, gib, known
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.cells import sparkline
from tokentop.views.tui.draw.kit.glyphs import age, meter
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, dimmed, exact, span_width
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.panels.gpus import vram_split
from tokentop.views.tui.draw.panels.gpus.rows import fill, gap_at, short_name

_HOT_C, _FULL = 85.0, 0.95
_WORDS = {
    "suspended": "suspended — asleep to save power",
    "lost": "lost",
    "error": "error",
}
_NAMES = ("index", "name", "node", "place")
_FIGURES_FROM = 40  # cells from which a sentence has room for the VRAM that was used
_WORDS_FROM = 24  # cells of a bar from which words take its place, the figures staying beside them


class Context(NamedTuple):
    """What every row is drawn with; `nodes` are other hosts' short names by node."""

    options: DrawOptions
    engines: vram_split.Engines
    nodes: Mapping[str, str]


def row(gpu: Gpu, cols: Sequence[Column], width: int, ctx: Context) -> Line:
    """The GPU in exactly `width` cells; one without figures of now says so in its bar's place."""
    gap = (" " * gap_at(width), "text")
    oldest = [column for column in cols if column.key != "processes"][-1]
    failed = not in_service(gpu)
    line: Line = []
    for column in cols:
        if column.key == "bar" and _speaks(gpu):
            beside = _figures_beside(gpu, column)
            room = column.width if beside else max(0, width - span_width(line) - cell_width(gap[0]))
            line += [gap, *_words(gpu, ctx, room, beside=beside)]
            if not beside:
                break
            continue
        aged = column is oldest and (failed or gpu.state == "stale")
        cell = _nameless(column) if _is_nameless(gpu, cols, column) else None
        cell = cell or _cell(gpu, column, ctx, aged=aged)
        if failed and column.key not in _NAMES:
            cell = dimmed([cell])[0]
        line += [gap, *cell] if line else cell
    line = exact([span for span in line if span[0]], width)
    return dimmed([line])[0] if gpu.state in ("stale", "suspended") else line


def _is_nameless(gpu: Gpu, cols: Sequence[Column], column: Column) -> bool:
    """A MIG instance where there is no room for names."""
    return gpu.mig is not None and cols[1].key not in _NAMES and column.key == "index"


def _nameless(column: Column) -> Line:
    return [(fit("└", column.width, "right"), "dim")]


def _speaks(gpu: Gpu) -> bool:
    """Whether words stand where its bar would: it failed, sleeps, or was not read yet."""
    unread = gpu.state == "stale" and gpu.age_s is None and gpu.note is not None
    return gpu.state in _WORDS or unread


def _figures_beside(gpu: Gpu, bar: Column) -> bool:
    """Whether the last good figures of a GPU that failed stay in their columns."""
    return not in_service(gpu) and gpu.age_s is not None and bar.width >= _WORDS_FROM


def _words(gpu: Gpu, ctx: Context, width: int, *, beside: bool) -> Line:
    """What is wrong; where that takes the whole row, with the age and VRAM of its last figures."""
    note = clean(gpu.note or "", 120)
    if in_service(gpu):
        return [(fit(_WORDS.get(gpu.state, note), width), "stale")]
    word = _WORDS[gpu.state]
    if gpu.age_s is not None and not beside:
        word += f" {age(gpu.age_s, ctx.options)}"
        if fill(gpu) is not None and width >= _FIGURES_FROM:
            word += f", had {gib(gpu.vram_used_bytes)}/{gib(gpu.vram_total_bytes)} G"
    return [(fit(f"{word} — {note}" if note else word, width), "error")]


def _cell(gpu: Gpu, column: Column, ctx: Context, *, aged: bool = False) -> Line:
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
