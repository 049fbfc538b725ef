"""The slots bar with a section for each engine: active, queued and free in its own slots."""

from collections.abc import Sequence
from typing import NamedTuple

from tokentop.domain.cells import segments
from tokentop.domain.fleet import ENGINES
from tokentop.domain.model import Llm, Snapshot
from tokentop.domain.model_serving import Engine
from tokentop.domain.text import DASH, cell_width, fit, fmt_count
from tokentop.views.tui.draw.holders import named
from tokentop.views.tui.draw.line import Line, exact

NARROWEST = 6  # cells of one engine's section
_SILENT = ("offline", "parked", "locked")


class Section(NamedTuple):
    """One engine's place in the bar, its cells without the gap after it."""

    engine: Engine
    width: int


def seated(snapshot: Snapshot) -> list[Engine]:
    """The engines whose requests the slots are made of, in the order they are listed.

    A router's traffic is theirs already; it stands for itself where no engine is known.
    """
    if snapshot.llm.source != ENGINES:
        return []
    heard = [e for e in snapshot.engines if e.state not in _SILENT and _said(e)]
    return [e for e in heard if not e.router] or heard


def _said(engine: Engine) -> bool:
    return engine.active is not None or engine.max_slots is not None


def sections(engines: Sequence[Engine], width: int) -> list[Section]:
    """Each engine's cells by its slots; empty where one of them would be too narrow.

    The shares follow the capacities, which do not change, so that nothing moves with the load.
    """
    room = width - (len(engines) - 1)
    if len(engines) < 2 or room < NARROWEST * len(engines):
        return []
    spare = room - NARROWEST * len(engines)
    known = [e.max_slots for e in engines if e.max_slots and e.max_slots > 0]
    usual = sum(known) / len(known) if known else 1.0
    weights = [("", e.max_slots if e.max_slots and e.max_slots > 0 else usual) for e in engines]
    shares = segments(weights, None, spare) if spare else []
    cells = [n for _, n in shares[: len(engines)]] or [0] * len(engines)
    return [Section(e, NARROWEST + n) for e, n in zip(engines, cells, strict=True)]


def slots_of(engine: Engine) -> Llm:
    """One engine's figures as the bar wants them."""
    return Llm(active=engine.active, queued=engine.queued, max_slots=engine.max_slots)


def capacity(engine: Engine) -> str:
    """The engine's slots: `32`, `≈32` where estimated, a dash where unknown."""
    if engine.max_slots is None:
        return DASH
    return ("≈" if engine.slots_estimated else "") + fmt_count(engine.max_slots)


def occupancy(engine: Engine) -> str:
    """`26/32`, `12/≈16`, `12 of —`."""
    active = DASH if engine.active is None else fmt_count(engine.active)
    if engine.max_slots is None:
        return DASH if engine.active is None else f"{active} of {DASH}"
    return f"{active}/{capacity(engine)}"


def names(found: Sequence[Section]) -> Line:
    """The engines' names under their sections."""
    return _under(found, [[(named(s.engine), "text")] for s in found])


def figures(found: Sequence[Section]) -> Line:
    """What each engine has running of what it can, and its queue."""
    return _under(found, [_figures(s.engine, s.width) for s in found])


def both(found: Sequence[Section]) -> Line:
    """Name and figures in one line; where there is no room for both, the figures."""
    cells = []
    for section in found:
        numbers = _figures(section.engine, section.width)
        size = sum(cell_width(text) for text, _ in numbers)
        room = section.width - size - 1
        name = named(section.engine)
        short = fit(name, min(room, cell_width(name))) if room >= 4 else ""
        cells.append([(short + " ", "dim"), *numbers] if short else numbers)
    return _under(found, cells)


def _figures(engine: Engine, width: int) -> Line:
    said: Line = [(occupancy(engine), "bright")]
    queued = engine.queued or 0
    free = 0 if engine.max_slots is None else max(0, engine.max_slots - (engine.active or 0))
    style = "beyond" if engine.max_slots is not None and queued > free else "queued"
    if queued > 0 and cell_width(said[0][0]) + 3 + len(fmt_count(queued)) <= width:
        said.append((f" +{fmt_count(queued)}", style))
    return said


def _under(found: Sequence[Section], cells: Sequence[Line]) -> Line:
    line: Line = []
    for place, (section, cell) in enumerate(zip(found, cells, strict=True)):
        line += [(" ", "text")] if place else []
        line += exact(cell, section.width)
    return line
