"""Clocks, links and faults of each GPU: one row a card, on the GPU page."""

from collections.abc import Callable, Sequence

from tokentop.domain.gpu_detail import SLOWING, GpuDetail
from tokentop.domain.snapshot import Gpu, Snapshot
from tokentop.domain.text import DASH, fit, fmt_count, fmt_percent, known
from tokentop.domain.xid_words import xid_words
from tokentop.views.tui.draw.kit.glyphs import age
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, dimmed, exact, sentence
from tokentop.views.tui.draw.kit.table import Column
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.gpus.rows import arranged, short_name

_UNKNOWN = GpuDetail()
_BOTH = 100  # cells of width from which fan and NVLink have a column each
_SHORT = {  # the reasons in a narrow column
    "power-cap": "power", "hw-slowdown": "hw slow", "hw-thermal": "hot", "sw-thermal": "warm",
    "power-brake": "brake", "sync-boost": "sync", "app-clocks": "set", "display-clocks": "display",
}  # fmt: skip
_LONG = {
    "power-cap": "power limit", "hw-slowdown": "hardware slowdown", "hw-thermal": "too hot",
    "sw-thermal": "near its heat limit", "power-brake": "power brake", "sync-boost": "sync boost",
    "app-clocks": "clocks set", "display-clocks": "display clocks",
}  # fmt: skip
_COLUMNS: tuple[tuple[int, Column], ...] = (  # cells of width from which each is shown
    (0, Column("index", "", 3)),
    (100, Column("name", "", 14, "left")),
    (0, Column("throttle", "throttled by", 0, "left")),
    (34, Column("pstate", "P", 3)),
    (44, Column("sm", "SM MHz", 9)),
    (130, Column("memory", "mem MHz", 11)),
    (62, Column("pcie", "PCIe ↓ ↑/s", 13)),
    (110, Column("link", "link", 8, "left")),
    (74, Column("nvlink", "NVLink ↓ ↑/s", 13)),
    (74, Column("fan", "fan", 4)),
    (56, Column("ecc", "ECC", 7)),
    (166, Column("xid", "Xid", 34, "left")),
)


def cards(snapshot: Snapshot, options: DrawOptions) -> list[Gpu]:
    """This host's physical GPUs in the order of the pool; no other host's driver is asked."""
    found = arranged(snapshot.gpus, options.sort, options.filter, reverse=options.reverse)
    return [gpu for gpu in found if gpu.mig is None and gpu.source == "nvml"]


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The table in exactly `height` lines; a cut one begins at row `options.offset`."""
    rows = cards(snapshot, options)
    if not rows:
        return sentence("No GPU of this host.", width, height)
    cols = columns(width, rows)
    if len(rows) <= height or height < 2:
        return block([row(gpu, cols, width, options) for gpu in rows], width, height)
    room = height - 1
    start = max(0, min(options.offset, len(rows) - room))
    shown = [row(gpu, cols, width, options) for gpu in rows[start : start + room]]
    place: Line = [(f"{start + 1}–{start + room} of {len(rows)}", "text")]
    return block([*shown, place], width, height)


def columns(width: int, rows: Sequence[Gpu]) -> list[Column]:
    """The columns that fit; the throttle reason takes what the others leave, at most 24 cells.

    Where there is no room for both, cards with NVLink show that, and others their fan.
    """
    linked = any(gpu.detail and gpu.detail.nvlink_rx_bytes_per_s is not None for gpu in rows)
    left_out = ("fan" if linked else "nvlink") if width < _BOTH else ""
    kept = [column for least, column in _COLUMNS if width >= least and column.key != left_out]
    spare = width - sum(c.width for c in kept) - 2 * (len(kept) - 1)
    wide = max(6, min(24, spare))
    return [c._replace(width=wide) if c.key == "throttle" else c for c in kept]


def heads(snapshot: Snapshot, width: int, _height: int, options: DrawOptions) -> Line:
    """The column headings."""
    cols = columns(width, cards(snapshot, options))
    return [("  ".join(fit(c.head, c.width, c.align) for c in cols), "dim")]


def row(gpu: Gpu, cols: Sequence[Column], width: int, options: DrawOptions) -> Line:
    """One GPU in exactly `width` cells; one that is lost keeps its Xid alone."""
    line: Line = []
    instead = bool(gpu.xids) and not any(column.key == "xid" for column in cols)
    for column in cols:
        cell = _xid if instead and column.key == "throttle" else _CELLS[column.key]
        text, style = cell(gpu, gpu.detail or _UNKNOWN, column.width, options)
        line += [("  ", "text")] if line else []
        line.append((fit(text, column.width, column.align), "dim" if text == DASH else style))
    line = exact(line, width)
    return dimmed([line])[0] if gpu.state in ("stale", "suspended") else line


def _index(gpu: Gpu, _detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return DASH if gpu.index is None else str(gpu.index), "dim"


def _name(gpu: Gpu, _detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return short_name(gpu), "text"


def _throttle(gpu: Gpu, _detail: GpuDetail, width: int, _options: DrawOptions) -> tuple[str, str]:
    """The reasons, the worst first; a GPU that is out of service has its state there."""
    if gpu.state in ("lost", "error", "suspended"):
        return gpu.state, "stale" if gpu.state == "suspended" else "error"
    if gpu.throttle is None:
        return DASH, "dim"
    if not gpu.throttle:
        return "not throttled" if width >= 13 else "no", "dim"
    words = [_LONG[reason] for reason in gpu.throttle]
    text = ", ".join(words)
    if len(text) > width:
        text = " ".join(_SHORT[reason] for reason in gpu.throttle)
    slowed = any(reason in SLOWING for reason in gpu.throttle)
    return text, "warn" if slowed else "text"


def _pstate(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return DASH if detail.pstate is None else f"P{detail.pstate}", "text"


def _sm(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return _of(detail.sm_mhz, detail.sm_max_mhz), "bright"


def _memory(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return _of(detail.memory_mhz, detail.memory_max_mhz), "text"


def _pcie(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return _both(detail.pcie_rx_bytes_per_s, detail.pcie_tx_bytes_per_s), "text"


def _nvlink(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return _both(detail.nvlink_rx_bytes_per_s, detail.nvlink_tx_bytes_per_s), "text"


def _link(gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    """`5 x16`: generation and lanes; fewer lanes than the card has is a fault of its slot."""
    if detail.pcie_width is None or detail.pcie_generation is None:
        return DASH, "dim"
    narrow = known(detail.pcie_width_max) and detail.pcie_width < detail.pcie_width_max
    low = known(detail.pcie_generation_max) and detail.pcie_generation < detail.pcie_generation_max
    busy = (gpu.utilization or 0.0) > 0.5  # an idle card runs its link slowly on purpose
    text = f"{detail.pcie_generation} x{detail.pcie_width}"
    return text, "warn" if narrow or (low and busy) else "text"


def _fan(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    return fmt_percent(detail.fan), "text"


def _ecc(_gpu: Gpu, detail: GpuDetail, _width: int, _options: DrawOptions) -> tuple[str, str]:
    """Corrected/uncorrected errors since the driver was loaded."""
    both = detail.ecc_corrected, detail.ecc_uncorrected
    if both == (None, None):
        return DASH, "dim"
    text = "/".join(fmt_count(n) for n in both)
    return text, "error" if both[1] else "warn" if both[0] else "dim"


def _xid(gpu: Gpu, _detail: GpuDetail, width: int, options: DrawOptions) -> tuple[str, str]:
    """The newest error, with its age where that fits."""
    if not gpu.xids:
        return DASH, "dim"
    newest = gpu.xids[-1]
    more = f" (+{len(gpu.xids) - 1})" if len(gpu.xids) > 1 else ""
    words = f"{xid_words(newest.code)}{more}"
    aged = f"{age(newest.age_s, options)} ago {words}"
    return aged if len(aged) <= width else words, "error"


def _of(value: int | None, limit: int | None) -> str:
    if value is None:
        return DASH
    return str(value) if limit is None else f"{value}/{limit}"


def _both(received: float | None, sent: float | None) -> str:
    if received is None and sent is None:
        return DASH
    return f"{_rate(received)} {_rate(sent)}"


def _rate(size: float | None) -> str:
    """Bytes/s in at most six cells: `12.3G`, `840M`, `0`."""
    if not known(size):
        return DASH
    for unit, scale in (("G", 2**30), ("M", 2**20), ("k", 2**10)):
        if size >= scale:
            return (
                f"{size / scale:.1f}{unit}" if size < 100 * scale else f"{size / scale:.0f}{unit}"
            )
    return f"{size:.0f}"


_Cell = Callable[[Gpu, GpuDetail, int, DrawOptions], tuple[str, str]]
_CELLS: dict[str, _Cell] = {
    "index": _index, "name": _name, "throttle": _throttle, "pstate": _pstate, "sm": _sm,
    "memory": _memory, "pcie": _pcie, "link": _link, "nvlink": _nvlink, "fan": _fan, "ecc": _ecc,
    "xid": _xid,
}  # fmt: skip


def _summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """How many GPUs are held down, and how many had an error."""
    rows = cards(snapshot, options)
    slowed = sum(any(r in SLOWING for r in gpu.throttle or ()) for gpu in rows)
    failed = sum(bool(gpu.xids) for gpu in rows)
    parts: Line = []
    if slowed:
        parts.append((f"{slowed} throttled", "warn"))
    if failed:
        parts += [(" · ", "dim")] if parts else []
        parts.append((f"{failed} with Xid errors", "error"))
    asked = any(gpu.throttle is not None for gpu in rows)
    return parts or ([("none throttled", "dim")] if asked else [])


PANEL = Panel(
    "hardware",
    lines,
    "Clocks and links",
    _summary,
    heads,
    ticks=lambda snapshot: any(gpu.xids for gpu in snapshot.gpus),
)
