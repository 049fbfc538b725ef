"""The slots bar with a section for each engine: active, queued and free in its own slots."""

from collections.abc import Sequence

from tokentop.domain.engines.summary import ENGINES
from tokentop.domain.numbers import total
from tokentop.domain.snapshot import Llm, Snapshot
from tokentop.domain.snapshot_engines import NOT_SERVING, SILENT_STATES, Engine
from tokentop.domain.text import cell_width, fit, fmt_count
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.cells import segments
from tokentop.views.tui.draw.kit.line import Line, exact, first_fit

NARROWEST = 6  # cells of one engine's section


class Section(NamedTuple):
    """One engine's place in the bar, its cells without the gap after it."""

    engine: Engine
    width: int


class SlotsTotals(NamedTuple):
    """The slots as they can be compared: `llm` sums the engines whose slots are known.

    `beyond` requests wait although their engine is full; `uncounted` ones run on engines whose
    slots are unknown. `incomplete`: there is such an engine.
    """

    llm: Llm
    beyond: int = 0
    uncounted: int = 0
    incomplete: bool = False


def slots_totals(snapshot: Snapshot) -> SlotsTotals:
    """The sums over the engines whose slots are known; the snapshot's figures where none's are.

    One engine's free slots are of no use to another's queue: both are counted engine by engine.
    """
    llm = snapshot.llm
    rows = [e for e in counted_engines(snapshot) if e.state not in NOT_SERVING]
    sized = [e for e in rows if e.max_slots is not None]
    if not sized:
        return SlotsTotals(llm, beyond(llm))
    active = total([e.active for e in sized])
    free = sum(_free(slots_of(e)) for e in sized)
    whole = llm._replace(
        active=active,
        queued=total([e.queued for e in sized]),
        max_slots=total([e.max_slots for e in sized]),
        free=None if active is None else free,
        slots_estimated=any(e.slots_estimated for e in sized),
    )
    over = sum(beyond(slots_of(e)) for e in sized)
    uncounted = sum(e.active or 0 for e in rows if e.max_slots is None)
    return SlotsTotals(whole, min(over, llm.queued or 0), uncounted, len(sized) < len(rows))


def _free(llm: Llm) -> int:
    return max(0, (llm.max_slots or 0) - max(0, llm.active or 0))


def beyond(llm: Llm) -> int:
    """Requests that wait although every slot is taken."""
    return 0 if llm.max_slots is None else max(0, max(0, llm.queued or 0) - _free(llm))


def counted_engines(snapshot: Snapshot) -> list[Engine]:
    """The engines that the slots are summed over, in the order they are listed.

    A router's traffic is its engines' traffic: it counts only where no engine is known. Silent
    engines do not count, unless all of them are silent.
    """
    if snapshot.llm.source != ENGINES:
        return []
    silent = {"auth-required", *SILENT_STATES} - ({"stale"} if snapshot.llm.stale else set())
    live = [e for e in snapshot.engines if e.state not in silent and _has_slots(e)]
    return [e for e in live if not e.router] or live


def _has_slots(engine: Engine) -> bool:
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


def names(found: Sequence[Section]) -> Line:
    """The engines' names, each below its section."""
    return _aligned(found, [[(fmt.engine_name(s.engine), "text")] for s in found])


def figures(found: Sequence[Section]) -> Line:
    """Active of slots, and the queue, each below its engine's section."""
    return _aligned(found, [_figures(s.engine, s.width) for s in found])


def both(found: Sequence[Section]) -> Line:
    """Name and figures in one line; where there is no room for both, the figures."""
    cells = []
    for section in found:
        numbers = _figures(section.engine, section.width)
        size = sum(cell_width(text) for text, _ in numbers)
        room = section.width - size - 1
        name = fmt.engine_name(section.engine)
        short = fit(name, min(room, cell_width(name))) if room >= 4 else ""
        cells.append([(short + " ", "dim"), *numbers] if short else numbers)
    return _aligned(found, cells)


def _figures(engine: Engine, width: int) -> Line:
    """`26/48 q8`; `12/16 q7 +3` where three find no slot, `16/16 +8` where none of 8 does."""
    busy: Line = [(fmt.slots(engine), "bright")]
    queued, over = max(0, engine.queued or 0), beyond(slots_of(engine))
    waiting: Line = [(f" q{fmt_count(queued)}", "queued")] if queued else []
    overflow: Line = [(f" +{fmt_count(over)}", "beyond")] if over else []
    choices = [overflow, []] if over == queued else [[*waiting, *overflow], waiting, []]
    return first_fit([[*busy, *more] for more in choices], width)


def _aligned(found: Sequence[Section], cells: Sequence[Line]) -> Line:
    line: Line = []
    for place, (section, cell) in enumerate(zip(found, cells, strict=True)):
        line += [(" ", "text")] if place else []
        line += exact(cell, section.width)
    return line
