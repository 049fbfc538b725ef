"""A GPU's VRAM bar split by process; an engine's part into weights and KV cache where known.

Known is what the engine says its KV cache takes on each GPU. All else that it holds is weights and
buffers. Of an engine that does not say, nothing but the size of the whole is claimed.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from tokentop.domain.snapshot import Gpu, Process
from tokentop.domain.snapshot_engines import Engine
from tokentop.domain.text import DASH, cell_width, clean, fit, gib, known
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.cells import bar
from tokentop.views.tui.draw.kit.format import engine_name
from tokentop.views.tui.draw.kit.line import Line, Span, joined

NARROWEST = 10  # cells of a bar below which it is not split
_NAMED = 5  # cells from which a name is worth cutting
_GLYPHS = {"used": "█", "used2": "█", "held": "▓", "held2": "▓", "reserved": "▒", "other": "░"}
_EDGE = "▏"

Engines = Mapping[str, Engine]


class Part(NamedTuple):
    """One process, or all of one engine, on one GPU.

    `kv_size` are the bytes of its KV cache there, `kv` the share of those in use, 0-1.
    """

    name: str
    size: float
    kv: float | None = None
    engine: bool = False
    kv_size: float | None = None

    @property
    def kv_share(self) -> float:
        """The KV cache's part of what it holds, 0-1; 0 where it is not known."""
        return self.kv_size / self.size if known(self.kv_size) and self.size > 0 else 0.0


def parts(gpu: Gpu, engines: Engines) -> list[Part]:
    """The parts in an order that does not depend on their sizes: engines first, then by pid.

    Workers of one engine are one part; processes of unknown size are left to "other".
    """
    sizes: dict[str, int] = {}
    rest: list[Part] = []
    for process in sorted(gpu.processes or (), key=lambda p: p.pid):
        if not process.vram_bytes or process.vram_bytes < 0:
            continue
        if process.engine is not None and process.engine in engines:
            sizes[process.engine] = sizes.get(process.engine, 0) + process.vram_bytes
        else:
            rest.append(Part(_process_name(process), process.vram_bytes))
    return [*(_served(engines[i], sizes[i]) for i in sorted(sizes)), *rest]


def _served(engine: Engine, size: int) -> Part:
    """An engine's part; a KV cache larger than what it holds here is another GPU's, or none's."""
    kv_size = engine.kv_gpu_bytes
    if kv_size is not None and not 0 < kv_size < size:
        kv_size = None
    return Part(engine_name(engine), size, engine.kv_cache, True, kv_size)


def _process_name(process: Process) -> str:
    name = clean(process.name or str(process.pid), 80)
    return name.rpartition("/")[2] or name


def split(gpu: Gpu, engines: Engines, width: int) -> Line | None:
    """The bar in exactly `width` cells; None where there is nothing to split."""
    found = parts(gpu, engines)
    used, total = gpu.vram_used_bytes, gpu.vram_total_bytes
    if width < NARROWEST or not known(used) or not known(total) or total <= 0:
        return None
    if len(found) < 2 and not any(p.engine for p in found):
        return None
    whole = bar(used / total, width)
    filled = len(whole.rstrip(" "))
    cells = _cells(found, used, filled)
    if cells and whole[filled - 1] != "█":  # the eighths at the very end, as on every bar
        cells[-1] = (whole[filled - 1], "bar." + cells[-1][1].partition(".")[2])
    line = [("".join(c for c, _ in run), style) for style, run in groupby(cells, lambda c: c[1])]
    return [*line, (" " * (width - filled), "track")] if filled < width else line


def _cells(found: Sequence[Part], used: float, filled: int) -> list[Span]:
    """One (glyph, style) a cell up to the end of what is used."""
    known_size = sum(p.size for p in found)
    scale = filled / max(used, known_size, 1.0)
    cells: list[Span] = []
    reached = 0.0
    for place, part in enumerate(found):
        reached += part.size
        end = max(len(cells), min(filled, round(reached * scale)))
        shade = "2" if place % 2 else ""
        cells += _part(part, end - len(cells), shade, first=not cells)
    rest = filled - len(cells)
    return cells + _part(Part("other", 0.0), rest, None, first=not cells)


def _part(part: Part, room: int, shade: str | None, *, first: bool) -> list[Span]:
    """The cells of one part: shade, a hairline at its start, and its name where that fits."""
    kinds = ["other"] * room if shade is None else _kinds(part, room, shade)
    cells = [(_GLYPHS[kind], "hold." + kind) for kind in kinds]
    if not first and room > 1:
        cells[0] = (_EDGE, "on." + kinds[0])
    name = _label(part.name, room - 2)
    x = 1
    for char in name:
        size = cell_width(char)
        cells[x] = (char, "on." + kinds[x])
        for y in range(x + 1, x + size):  # the other cell of a wide character
            cells[y] = ("", cells[x][1])
        x += max(1, size)
    return cells


def _kinds(part: Part, room: int, shade: str) -> list[str]:
    """What each cell stands for: weights, then the KV cache, in use before what is free."""
    if not part.kv_share or room < 2:
        return ["held" + shade] * max(0, room)
    cache = max(1, min(room - 1, round(part.kv_share * room)))
    share = max(0.0, min(1.0, part.kv)) if known(part.kv) else 0.0
    lit = min(cache - (share < 1.0 and cache > 1), max(int(share > 0.0), round(share * cache)))
    return ["held" + shade] * (room - cache) + ["used" + shade] * lit + ["reserved"] * (cache - lit)


def _label(name: str, room: int) -> str:
    plain = "".join(c for c in name if cell_width(c))  # a combining mark takes no cell
    if room < _NAMED and cell_width(plain) > room:
        return ""
    return fit(plain, room).rstrip() if room > 0 else ""


def legend(gpus: Sequence[Gpu], engines: Engines) -> Line:
    """What the shades mean; empty where no engine is among the parts."""
    served = [part for gpu in gpus for part in parts(gpu, engines) if part.engine]
    if not served:
        return []
    meanings = [("held", "held by an engine or a process"), ("other", "other")]
    if any(part.kv_share for part in served):
        meanings = [
            ("held", "weights, or not divided"),
            ("used", "KV cache in use"),
            ("reserved", "KV cache free"),
            ("other", "other"),
        ]
    keys: list[Line] = [[(_GLYPHS[k], f"hold.{k}"), (f" {words}", "dim")] for k, words in meanings]
    return joined(keys)


def listed(gpu: Gpu, engines: Engines) -> str:
    """The parts as text, the largest first: `qwen3.6-27b 88.1G (KV 60.2G)  Xorg 0.2G`."""
    ranked = sorted(parts(gpu, engines), key=lambda p: -p.size)
    unsized = [p for p in gpu.processes or () if p.vram_bytes is None]
    words = [f"{p.name} {gib(p.size)}G{_cache(p)}" for p in ranked]
    return "  ".join(words + [f"{_process_name(p)} {DASH}" for p in unsized])


def _cache(part: Part) -> str:
    return f" (KV {gib(part.kv_size)}G)" if part.kv_size else ""
