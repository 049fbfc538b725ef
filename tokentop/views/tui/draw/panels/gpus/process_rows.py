"""The processes of the GPU page as rows: order, cursor, columns."""

from collections.abc import Callable, Sequence

from tokentop.domain.gpu_detail import ProcessDetail
from tokentop.domain.snapshot import Gpu, Process, Snapshot
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.panels.gpus.rows import arranged, matches
from tokentop.views.tui.draw.sorts import PROCESS_SORTS

SORTED = {sort: sort for sort in PROCESS_SORTS}  # by column
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
    """The rows by GPU, the largest first, or in the order of one column.

    A filter keeps the processes that match it with their GPU. The unknown come last, also reversed.
    """
    found: list[Row] = []
    for gpu in arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse):
        if gpu.processes is None:
            found += [Row(gpu, None)] if gpu.source == "nvml" and gpu.state == "ok" else []
            continue
        ranked = sorted(gpu.processes, key=lambda p: (-(p.vram_bytes or 0), p.pid))
        found += [Row(gpu, one) for one in ranked if matches(gpu, (one,), options.filter)]
    return _ordered(found, options.process_sort, reverse=options.process_reverse)


def _ordered(found: list[Row], sort: str, *, reverse: bool) -> list[Row]:
    if sort == "gpu":
        return found[::-1] if reverse else found
    figure = _FIGURES.get(sort)
    if figure is None:
        return found
    known = [row for row in found if figure(row) is not None]
    unknown = [row for row in found if figure(row) is None]
    return sorted(known, key=figure, reverse=falls(sort) != reverse) + unknown


def falls(sort: str) -> bool:
    """Whether the largest come first; names begin with A, and GPUs with the first."""
    return sort not in ("gpu", "user", "pid")


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
