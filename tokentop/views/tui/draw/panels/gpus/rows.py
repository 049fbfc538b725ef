"""The GPU pool as rows: short names, sorting, filtering, which columns fit."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from tokentop.domain.gpu_pool import in_service
from tokentop.domain.snapshot import Gpu, Process
from tokentop.domain.text import cell_width, clean, gib
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.sorts import GPU_SORTS

_NODES = 64  # cells from which hosts have a column of their own
_NEVER = 1 << 30
FIGURES = GPU_SORTS[1:5]  # the largest first
SORTED = {
    "index": "index", "name": "name", "place": "name", "bar": "vram", "vram": "vram",
    "fill": "vram", "util": "util", "load": "util", "temp": "temp", "power": "power",
}  # fmt: skip
_NOISE = re.compile(
    r"\b(NVIDIA|GeForce|Tesla|Quadro|Graphics|Laptop GPU|Generation)\b ?|-SXM\d?|-PCIE?", re.I
)


def short_name(gpu: Gpu) -> str:
    """`NVIDIA GeForce RTX 4090` as `RTX 4090`; a MIG instance by its profile."""
    name = clean(gpu.name or "GPU", 120)
    if gpu.mig is not None:
        return "└ " + (name.rpartition("MIG ")[2] or "MIG")
    return _bare(name)


@lru_cache(256)
def _bare(name: str) -> str:
    return " ".join(_NOISE.sub("", name).replace("-", " ").split()) or name


def foreign(gpus: Sequence[Gpu], host: str) -> dict[str, str]:
    """Other hosts' short names by node; empty where all GPUs are in one place."""
    nodes = list(dict.fromkeys(g.node or host for g in gpus))
    if len(nodes) < 2:
        return {}
    short = {node: _short_node(node) for node in nodes}
    alike = len(set(short.values())) < len(nodes)
    names = {node: clean(node, 60) for node in nodes} if alike else short
    return {node: name for node, name in names.items() if node.casefold() != host.casefold()}


def _short_node(node: str) -> str:
    """`gpu-box-02.example.org` as `gpu-box-02`; an address stays whole."""
    name = clean(node, 60)
    first = name.partition(".")[0]
    return name if first.isdigit() or ":" in first else first


def arranged(
    gpus: Sequence[Gpu], sort: str = "index", wanted: str = "", *, reverse: bool = False
) -> list[Gpu]:
    """The GPUs that match the filter, sorted; MIG instances follow their parent.

    Sorting by a figure puts the largest first, `reverse` the smallest; the unknown are last.
    """
    figures = reverse and sort in FIGURES
    parents = [g for g in gpus if g.mig is None]
    uuids = {g.uuid for g in parents}
    children: dict[str, list[Gpu]] = {}
    for g in gpus:
        if g.mig is not None and g.mig in uuids:
            children.setdefault(g.mig, []).append(g)
    orphans = [g for g in gpus if g.mig is not None and g.mig not in uuids]
    rows: list[Gpu] = []
    nodes = list(dict.fromkeys(g.node for g in gpus if g.node))
    key = _key(sort, nodes, -1.0 if figures else 1.0)
    for parent in sorted([*parents, *orphans], key=key, reverse=reverse and not figures):
        family = [parent, *children.get(parent.uuid or "", ())]
        rows += family if any(matches(g, g.processes, wanted) for g in family) else ()
    return rows


def _key(sort: str, nodes: list[str], sign: float) -> Callable[[Gpu], tuple[float | str, ...]]:
    def figure(gpu: Gpu) -> float | None:
        return {
            "util": gpu.utilization,
            "vram": fill(gpu),
            "temp": gpu.temperature_c,
            "power": gpu.power_w,
        }[sort]

    def key(gpu: Gpu) -> tuple[float | str, ...]:
        node = nodes.index(gpu.node) if gpu.node else 0  # this host's own come first
        place = (node, gpu.index if gpu.index is not None else 1 << 30)
        if sort == "name":
            return (short_name(gpu), *place)
        if sort not in FIGURES:
            return place
        value = figure(gpu) if in_service(gpu) else None
        return (value is None, -sign * (value or 0.0), *place)

    return key


def matches(gpu: Gpu, processes: Iterable[Process] | None, wanted: str) -> bool:
    """Whether every word of the filter stands in what is shown of the GPU and these processes."""
    words = wanted.casefold().split()
    if not words:
        return True
    fields = [gpu.name, gpu.uuid, gpu.node, gpu.state, gpu.note, gpu.source, str(gpu.index)]
    fields.append(short_name(gpu))
    for p in processes or ():
        fields += [p.name, p.user, p.engine, str(p.pid), p.detail and p.detail.command]
    text = " ".join(f for f in fields if f).casefold()
    return all(word in text for word in words)


def fill(gpu: Gpu) -> float | None:
    """VRAM used of total 0-1; None where either is unknown."""
    if gpu.vram_used_bytes is None or not gpu.vram_total_bytes:
        return None
    return gpu.vram_used_bytes / gpu.vram_total_bytes


def columns(
    rows: Sequence[Gpu], width: int, nodes: Mapping[str, str] | None = None, *, always: bool = False
) -> list[Column]:
    """The columns that fit in `width`, the bar taking what the others leave.

    GPUs of other hosts have their host's name as well; where room is short, instead of their own if
    `always`, else not. Widths follow what never changes (names, totals, limits), so that
    figures do not move.
    """
    gap = gap_at(width)
    name = min(max((cell_width(short_name(g)) for g in rows), default=4), max(4, width // 6), 18)
    total = max((len(gib(g.vram_total_bytes)) for g in rows), default=5)
    limit = max((len(f"{g.power_limit_w or 0:.0f}") for g in rows), default=3)
    longest = max((len(str(g.index or 0)) for g in rows), default=2)
    node = min(max((cell_width(n) for n in (nodes or {}).values()), default=0), max(10, width // 8))
    instead = node > 0 and always and width < _NODES
    wide: list[tuple[int, Column]] = [
        (0, Column("index", "", max(2 if width < 60 else 3, longest))),
        (
            0 if instead else 30,
            Column(
                "place" if instead else "name", "", max(name, node) if instead else name, "left"
            ),
        ),
        (_NODES if node else _NEVER, Column("node", "", node, "left")),
        (0, Column("bar", "", 0, "left")),
        (36, Column("vram", "VRAM", 2 * total + 3)),
        (58, Column("fill", "", 4 if width >= 12 else 3)),
        (16, Column("util", "util", 4)),
        (108, Column("load", "", 12, "left")),
        (52, Column("temp", "temp", 4)),
        (72, Column("power", "power", 2 * limit + 3)),
        (130, Column("processes", "processes", width // 5, "left")),
    ]
    kept = [c for least, c in wide if width >= least or (c.key == "fill" and width < 36)]
    spent = sum(c.width for c in kept) + gap * (len(kept) - 1)
    return [c._replace(width=max(0, width - spent)) if c.key == "bar" else c for c in kept]


def gap_at(width: int) -> int:
    """Cells between columns."""
    return 1 if width < 50 else 2
