"""LLM slots: one segmented bar, its figures, a chip per loaded model."""

from tokentop.domain.cells import segments
from tokentop.domain.model import Llm, Snapshot
from tokentop.domain.text import DASH, cell_width, clean, fit, fmt_count, fmt_percent, known
from tokentop.views.tui.draw.facts import waiting
from tokentop.views.tui.draw.line import Line, Look, block, dimmed, exact, joined, sentence, sides
from tokentop.views.tui.draw.line import span_width as wide
from tokentop.views.tui.draw.marks import age, meter

TITLE = "LLM slots"
_MARKS = {"active": "█", "queued": "▓", "beyond": "▒", "free": "░"}
_STYLES = {
    "active": "fill.active",
    "queued": "fill.queued",
    "beyond": "fill.beyond",
    "free": "free",
}


def lines(snapshot: Snapshot, width: int, height: int, _look: Look) -> list[Line]:
    """The slots in exactly `height` lines of `width` cells."""
    llm = snapshot.llm
    if llm.active is None and llm.queued is None and llm.max_slots is None:
        text = "Waiting for the first queue figures…" if waiting(snapshot) else _ABSENT
        return sentence(text, width, height)
    if height <= 2:
        drawn = [_one_line(llm, width), models(llm, width)]
    else:
        thick = max(1, min(3, (height - 3) // 2))
        drawn = [*[_bar(llm, width)] * thick, _legend(llm, width), []]
        extra = [
            models(llm, width),
            [],
            *([[]] if height >= 10 else []),
            _engine_room(snapshot, width),
        ]
        drawn += extra if height >= 7 else [models(llm, width), _engine_room(snapshot, width)]
        drawn = [d for d in drawn if d] if height < 6 else drawn
    body = block(drawn, width, height)
    return dimmed(body) if llm.stale else body


_ABSENT = "No queue figures from anyone yet."


def summary(snapshot: Snapshot, look: Look) -> Line:
    """Slots in use, or the age where nobody says any more."""
    llm = snapshot.llm
    if llm.stale:
        return [(f"stale · {age(llm.age_s, look)}", "stale")]
    if llm.active is None and llm.max_slots is None:
        return []
    return [(_number(llm.active), "bright"), (f"/{_number(llm.max_slots)} active", "dim")]


def _number(value: int | None) -> str:
    return DASH if value is None else fmt_count(value) if value > 9999 else str(value)


def parts(llm: Llm) -> list[tuple[str, float]]:
    """Active, queued within the slots, queued beyond them, as counts in the order drawn."""
    active, queued = max(0, llm.active or 0), max(0, llm.queued or 0)
    room = queued if llm.max_slots is None else max(0, llm.max_slots - active)
    inside = min(queued, room)
    return [("active", active), ("queued", inside), ("beyond", queued - inside)]


def beyond(llm: Llm) -> int:
    """Requests that wait although every slot is taken."""
    return int(parts(llm)[2][1])


def _bar(llm: Llm, width: int) -> Line:
    drawn: Line = []
    for name, cells in segments(parts(llm), llm.max_slots, width):
        kind = name or "free"
        drawn.append((_MARKS[kind] * cells, _STYLES[kind]))
    return [s for s in drawn if s[0]]


def _one_line(llm: Llm, width: int) -> Line:
    """Label, bar and figures in fixed places."""
    digits = max(2, len(_number(llm.max_slots)))
    active = [
        (fit(_number(llm.active), digits, "right"), "bright"),
        (f"/{_number(llm.max_slots)}", "dim"),
    ]
    queued: Line = [(fit(_number(llm.queued), 3, "right"), _queue_style(llm)), (" queued", "dim")]
    over = f"+{beyond(llm)} beyond" if beyond(llm) else ""
    tail = joined([active, queued])
    if width >= 64:
        tail = joined([[*active, (" active", "dim")], queued, [(fit(over, 12), "beyond")]])
    room = width - wide(tail) - 8
    if room < 4:
        short: Line = [*active, ("  ", "text"), queued[0], (" q", "dim")]
        room = max(0, width - wide(short) - 2)
        return [*exact(_bar(llm, room), room), ("  ", "text"), *short]
    return [("slots ", "dim"), *exact(_bar(llm, room), room), ("  ", "text"), *tail]


def _queue_style(llm: Llm) -> str:
    return "queued" if (llm.queued or 0) > 0 else "text"


def _legend(llm: Llm, width: int) -> Line:
    keys: list[Line] = []
    queued = None if llm.queued is None else llm.queued - beyond(llm)
    for kind, count in (("active", llm.active), ("queued", queued), ("free", llm.free)):
        mark: Line = [(_MARKS[kind], _STYLES[kind])]
        keys.append([*mark, (fit(_number(count), 4, "right"), "bright"), (f" {kind}", "dim")])
    if beyond(llm):
        keys.append([(_MARKS["beyond"], _STYLES["beyond"]), (f" +{beyond(llm)} beyond", "beyond")])
    right: Line = [("of ", "dim"), (_number(llm.max_slots), "text"), (" slots", "dim")]
    left = joined(keys, "   " if width >= 56 else " ")
    return sides(left, right if wide(left) + wide(right) < width else [], width)


def models(llm: Llm, width: int) -> Line:
    """A chip per loaded model, cut to fit with how many more there are."""
    if llm.models is None:
        return [("models ", "dim"), (DASH, "dim")]
    if not llm.models:
        return [("no model loaded", "dim")]
    line: Line = [("models ", "dim")] if width >= 60 else []
    for i, name in enumerate(llm.models):
        left = len(llm.models) - i
        more = f" +{left} more"
        chip = f" {clean(name, 28) or DASH} "
        room = width - wide(line) - (len(more) if left > 1 else 0)
        if cell_width(chip) > room and i:
            return [*line, (more, "dim")]
        line += [(fit(chip, room) if cell_width(chip) > room else chip, "chip"), (" ", "text")]
    return line


def _engine_room(snapshot: Snapshot, width: int) -> Line:
    """KV cache and throughput, where anyone measures them."""
    rates, llm = snapshot.throughput, snapshot.llm
    found: list[Line] = []
    if known(llm.kv_cache):
        cells = 14 if width >= 56 else 6
        found.append(
            [
                ("KV cache ", "dim"),
                *meter(llm.kv_cache, cells),
                (fit(fmt_percent(llm.kv_cache), 5, "right"), "bright"),
            ]
        )
    if known(rates.generation_tokens_per_s):
        found.append(
            [
                (fit(fmt_count(rates.generation_tokens_per_s), 5, "right"), "bright"),
                (" tok/s", "dim"),
            ]
        )
    if known(rates.ttft_s):
        found.append(
            [("first token ", "dim"), (f"{rates.ttft_s * 1000:.0f}", "bright"), (" ms", "dim")]
        )
    while found and wide(joined(found, "   ")) > width:
        found.pop()
    return joined(found, "   ")
