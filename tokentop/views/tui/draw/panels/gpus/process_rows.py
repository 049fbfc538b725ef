"""The processes of the GPU page as rows: order, cursor, columns."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tokentop.domain.gpu_detail import ProcessDetail
from tokentop.domain.snapshot import Gpu, Process, Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.panels.gpus.rows import arranged

PROCESS_SORTS = ("gpu", "vram", "sm", "cpu", "memory", "age", "user", "pid")
_NOTHING = ProcessDetail()


class Row(NamedTuple):
    """One process on one GPU; `process` is None where the driver refuses to list them."""

    gpu: Gpu
    process: Process | None

    @property
    def key(self) -> str:
        """What the cursor stands on: it stays on its process whatever the order."""
        place = self.gpu.uuid or f"{self.gpu.node}/{self.gpu.index}"
        return f"{place} {self.process.pid if self.process else ''}"

    @property
    def detail(self) -> ProcessDetail:
        return (self.process.detail if self.process else None) or _NOTHING


def rows(snapshot: Snapshot, options: DrawOptions) -> list[Row]:
    """The rows by GPU, the largest first, or in the order of one column; filtered as the pool is.

    A sort that begins with "-" is reversed; what is unknown comes last either way.
    """
    found: list[Row] = []
    for gpu in arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse):
        if gpu.processes is None:
            found += [Row(gpu, None)] if gpu.source == "nvml" and gpu.state == "ok" else []
            continue
        ranked = sorted(gpu.processes, key=lambda p: (-(p.vram_bytes or 0), p.pid))
        found += [Row(gpu, process) for process in ranked]
    return _ordered(found, options.process_sort)


def _ordered(found: list[Row], sort: str) -> list[Row]:
    column, reverse = sort.removeprefix("-"), sort.startswith("-")
    if column == "gpu":
        return found[::-1] if reverse else found
    figure = _FIGURES.get(column)
    if figure is None:
        return found
    known = [row for row in found if figure(row) is not None]
    unknown = [row for row in found if figure(row) is None]
    rising = (column in ("user", "pid")) != reverse  # names from A, figures from the largest
    return sorted(known, key=figure, reverse=not rising) + unknown


def _user(row: Row) -> str | None:
    return row.process.user if row.process else None


_FIGURES: dict[str, Callable[[Row], Any]] = {
    "vram": lambda row: row.process.vram_bytes if row.process else None,
    "sm": lambda row: row.detail.sm,
    "cpu": lambda row: row.detail.cpu,
    "memory": lambda row: row.detail.memory_bytes,
    "age": lambda row: row.detail.age_s,
    "user": _user,
    "pid": lambda row: row.process.pid if row.process else None,
}


def next_sort(sort: str) -> str:
    """The next column's order."""
    column = sort.removeprefix("-")
    at = PROCESS_SORTS.index(column) if column in PROCESS_SORTS else 0
    return PROCESS_SORTS[(at + 1) % len(PROCESS_SORTS)]


def place_of(found: Sequence[Row], cursor: str | None) -> int:
    """The row of the cursor; the first where its process has gone."""
    return next((i for i, row in enumerate(found) if row.key == cursor), 0)


def columns(width: int) -> list[Column]:
    """The columns that fit in `width`; the command line takes what the others leave."""
    wide: list[tuple[int, Column]] = [
        (0, Column("mark", "", 1, "left")),
        (0, Column("gpu", "gpu", 4)),
        (0, Column("pid", "pid", 7)),
        (66, Column("user", "user", 8, "left")),
        (30, Column("vram", "VRAM", 7)),
        (46, Column("sm", "SM", 4)),
        (54, Column("cpu", "CPU", 5)),
        (60, Column("memory", "memory", 7)),
        (72, Column("age", "age", 4)),
        (104, Column("engine", "engine", 26, "left")),
        (0, Column("command", "command" if width >= 104 else "engine, command", 0, "left")),
    ]
    kept = [column for least, column in wide if width >= least]
    spent = sum(c.width for c in kept) + len(kept) - 1
    return [c._replace(width=max(0, width - spent)) if c.key == "command" else c for c in kept]
