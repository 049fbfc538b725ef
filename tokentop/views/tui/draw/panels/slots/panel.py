"""LLM slots: one segmented bar, its figures, a chip per loaded model; a section per engine.

Where there are engines the queue's trend stands in the tokens panel, else here.
"""

from collections.abc import Sequence

from tokentop.domain.snapshot import Llm, Snapshot
from tokentop.domain.text import DASH, approx, cell_width, clean, fit, fmt_count, fmt_percent, known
from tokentop.views.tui.draw.kit.cells import segments
from tokentop.views.tui.draw.kit.glyphs import age, meter, old
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    joined,
    sentence,
    sides,
)
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.kit.trend import QUEUE, trend_line
from tokentop.views.tui.draw.layout import ENGINES, LARGE, MEDIUM, SMALL, STACK, Place
from tokentop.views.tui.draw.layout_inputs import none_serves, waiting
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels.slots import sections

_MARKS = {"active": "█", "queued": "▓", "beyond": "▒", "free": "░"}
_STYLES = {
    "active": "fill.active",
    "queued": "fill.queued",
    "beyond": "fill.beyond",
    "free": "free",
}


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The slots in exactly `height` lines of `width` cells."""
    llm = snapshot.llm
    if llm.active is None and llm.queued is None and llm.max_slots is None:
        return sentence(_absence(snapshot), width, height)
    aged = old(llm.age_s, options) if llm.stale and options.summary_hidden else ""
    flat = height <= 2
    drawn = _flat(snapshot, width, aged) if flat else _tall(snapshot, width, height, aged, options)
    body = block(drawn, width, height)
    return dimmed(body) if llm.stale else body


def _absence(snapshot: Snapshot) -> str:
    if waiting(snapshot):
        return "Waiting for the first queue figures…"
    if none_serves(snapshot):
        return "No engine reports its slots now."
    return "No queue is reported."


def _flat(snapshot: Snapshot, width: int, aged: str) -> list[Line]:
    """Bar and figures in one line; below it the models, or each engine's own figures."""
    line, found = _one_line(snapshot, width, aged)
    below = [(" " * len(_LABEL), "text"), *sections.both(found)] if found else None
    return [line, below or models(snapshot.llm, width)]


def _tall(
    snapshot: Snapshot, width: int, height: int, aged: str, options: DrawOptions
) -> list[Line]:
    """The bar up to three rows thick, its legend, the models, and the KV cache or the queue."""
    found = sections.sections(sections.counted_engines(snapshot), width)
    if found:
        return _by_engine(snapshot, found, width, height, aged)
    kv_cache = [line for line in (_kv_cache(snapshot.llm, width),) if line]
    trend = [] if snapshot.engines else [trend_line(QUEUE, width, options, len(_LABEL))]
    rest = [
        _legend(snapshot, width, aged),
        *([[]] if height >= 6 else []),
        models(snapshot.llm, width),
        *([[]] if height >= 7 and kv_cache else []),
        *kv_cache,
        *trend,
    ]
    bar = _bar(sections.slots_totals(snapshot).llm, width)
    return [*[bar] * max(1, min(3, height - len(rest))), *rest]


def _by_engine(
    snapshot: Snapshot, found: Sequence[sections.Section], width: int, height: int, aged: str
) -> list[Line]:
    """A section for each engine with its name and figures below; no chips, as names are models."""
    labels = (
        [sections.names(found), sections.figures(found)] if height >= 5 else [sections.both(found)]
    )
    thick = max(1, min(3, (height - len(labels) - 1) // 2))
    drawn = [*[_sectioned(found)] * thick, *labels]
    rest = [_legend(snapshot, width, aged), _kv_cache(snapshot.llm, width)]
    room = height - len(drawn)
    return [*drawn, *([[]] if room >= 2 + (room >= 4) else []), *rest]


def _sectioned(found: Sequence[sections.Section]) -> Line:
    line: Line = []
    for section in found:
        line += [(" ", "text")] if line else []
        line += _bar(sections.slots_of(section.engine), section.width)
    return line


_LABEL = "slots "


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """Slots in use; the age where they are stale."""
    llm = snapshot.llm
    if llm.stale:
        return [(f"stale · {age(llm.age_s, options)}", "stale")]
    if llm.active is None and llm.max_slots is None:
        return []
    found = sections.slots_totals(snapshot)
    words: Line = [(_number(found.llm.active), "bright"), (f"/{_slots(snapshot)} active", "dim")]
    return joined([words, _uncounted(found, " where slots are unknown")], " · ")


def _uncounted(found: sections.SlotsTotals, words: str) -> Line:
    """Requests that run where slots are unknown: no part of any occupancy."""
    if not found.uncounted:
        return []
    return [(f"+{_number(found.uncounted)}", "bright"), (words, "dim")]


def _number(value: int | None) -> str:
    return DASH if value is None else fmt_count(value) if value > 9999 else str(value)


def _right(value: int | None, least: int) -> str:
    """The number, never cut, in at least so many cells."""
    return _number(value).rjust(least)


def _slots(snapshot: Snapshot) -> str:
    """All slots there are, with an about sign where an engine's are estimated."""
    llm = sections.slots_totals(snapshot).llm
    return approx(_number(llm.max_slots), llm.slots_estimated)


def parts(llm: Llm) -> list[tuple[str, float]]:
    """Active, queued within the slots, queued beyond them, as counts in the order drawn."""
    active, queued = max(0, llm.active or 0), max(0, llm.queued or 0)
    room = queued if llm.max_slots is None else max(0, llm.max_slots - active)
    inside = min(queued, room)
    return [("active", active), ("queued", inside), ("beyond", queued - inside)]


def _bar(llm: Llm, width: int) -> Line:
    """The slots in exactly `width` cells; dots where their number is unknown."""
    if llm.max_slots is None:
        return [("·" * width, "dim")]
    drawn: Line = []
    for name, cells in segments(parts(llm), llm.max_slots, width):
        kind = name or "free"
        drawn.append((_MARKS[kind] * cells, _STYLES[kind]))
    return [s for s in drawn if s[0]]


def _one_line(snapshot: Snapshot, width: int, aged: str) -> tuple[Line, list[sections.Section]]:
    """Label, bar and figures in fixed places, and the bar's sections where it has any."""
    llm, slots, totals = snapshot.llm, _slots(snapshot), sections.slots_totals(snapshot)
    number = _right(totals.llm.active, max(2, len(slots)))
    active: Line = [(number, "bright"), (f"/{slots}", "dim")]
    if totals.incomplete:
        more = f" +{_number(totals.uncounted)}" if totals.uncounted else ""
        active.append((fit(more, max(3, len(more))), "text"))
    queued: Line = [(_right(llm.queued, 3), _queue_style(llm)), (" queued", "dim")]
    over = f"(+{_number(totals.beyond)} beyond)" if totals.beyond else ""
    tail = joined([active, queued])
    if width >= 64:
        last = (fit("  " + aged if aged else " " + over, max(14, len(over) + 1)), "beyond")
        tail = [*joined([[*active, (" active", "dim")], queued]), last]
    elif aged:
        tail = joined([active, [queued[0], (" q", "dim")], [(aged, "stale")]])
    room = width - wide(tail) - len(_LABEL) - 2
    if room < 4:
        short: Line = [*active, ("  ", "text"), queued[0], (" q", "dim")]
        short = [*active, ("  ", "text"), (aged, "stale")] if aged else short
        room = max(0, width - wide(short) - 2)
        return [*exact(_bar(totals.llm, room), room), ("  ", "text"), *short], []
    found = sections.sections(sections.counted_engines(snapshot), room)
    bar = _sectioned(found) if found else _bar(totals.llm, room)
    return [(_LABEL, "dim"), *exact(bar, room), ("  ", "text"), *tail], found


def _queue_style(llm: Llm) -> str:
    return "queued" if (llm.queued or 0) > 0 else "text"


def _legend(snapshot: Snapshot, width: int, aged: str) -> Line:
    """Each mark with its count; of the queued requests also how many find no slot."""
    found, gap = sections.slots_totals(snapshot), "   " if width >= 56 else " "
    active = _key("active", found.llm.active)
    free = _key("free", found.llm.free, estimated=found.llm.slots_estimated)
    queued = _key("queued", snapshot.llm.queued)
    beyond = f"+{_number(found.beyond)}"
    if found.beyond:  # two marks of the bar are of queued requests
        text = queued[1][0].removeprefix(" ")
        queued[1:2] = [(_MARKS["beyond"], _STYLES["beyond"]), (text, "bright")]
    words: list[Line] = [[]]
    if found.beyond:
        words = [[(f" ({beyond} beyond)", "beyond")], [(f" ({beyond})", "beyond")]]
    left = first_fit([joined([active, queued + w, free], gap) for w in words], width)
    end: Line = [("of ", "dim"), (_slots(snapshot), "text"), (" slots", "dim")]
    ends = [
        joined([_uncounted(found, w), end], " · ") if found.uncounted else end
        for w in (" active where slots are unknown", " elsewhere")
    ]
    if aged:
        ends = [[(aged, "stale")]]
    return sides(left, first_fit([*ends, end, []], width - wide(left) - 1), width)


def _key(kind: str, count: int | None, *, estimated: bool = False) -> Line:
    return [
        (_MARKS[kind], _STYLES[kind]),
        (approx(_number(count), estimated).rjust(4), "bright"),
        (f" {kind}", "dim"),
    ]


def models(llm: Llm, width: int) -> Line:
    """A chip per loaded model, cut to fit with how many more there are."""
    if llm.models is None:
        return [("models ", "dim"), (DASH, "dim")]
    if not llm.models:
        return [("no model loaded", "dim")]
    line: Line = [("models ", "dim")] if width >= 60 else []
    for i, name in enumerate(llm.models):
        left = len(llm.models) - i + llm.models_more
        more = f" +{left:,} more"
        chip = f" {clean(name, 28) or DASH} "
        room = width - wide(line) - (len(more) if left > 1 else 0)
        if cell_width(chip) > room and i:
            return [*line, (more, "dim")]
        line += [(fit(chip, room) if cell_width(chip) > room else chip, "chip"), (" ", "text")]
    return line


def _kv_cache(llm: Llm, width: int) -> Line:
    """The fullest KV cache, where an engine measures it."""
    if not known(llm.kv_cache):
        return []
    cells = 14 if width >= 56 else 6
    used = approx(fmt_percent(llm.kv_cache), llm.kv_estimated)
    share = (fit(used, 5, "right"), "bright")
    line: Line = [("KV cache ", "dim"), *meter(llm.kv_cache, cells), share]
    return line if wide(line) <= width else []


PANEL = Panel(
    "slots",
    lines,
    "LLM slots",
    summary,
    places=(
        Place(LARGE, 2, (7, 9), "frame", contents=STACK, share=3),
        Place(LARGE, 2, (6, 7, 9), "frame", contents=ENGINES),
        Place(MEDIUM, 5, (2, 4), inset=1, grow_last=True, contents=STACK),
        Place(MEDIUM, 5, (2, 4, 6), inset=1, grow_last=True, contents=ENGINES),
        Place(SMALL, 1, (1, 2), inset=1, inset_from=30),
    ),
    ticks=lambda snapshot: snapshot.llm.stale,
)
