"""The engines' table: one row each, group by group; only rows on the screen are drawn."""

from collections.abc import Sequence

from tokentop.domain.numbers import total
from tokentop.domain.policy import KV_FULL
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import DOWN_STATES, SILENT_STATES, Engine
from tokentop.domain.text import DASH, approx, cell_width, clean, fit, fmt_count, gib, known
from tokentop.views.palette import ENGINE_STYLES, engine_symbol
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.cells import sparkline, thinned
from tokentop.views.tui.draw.kit.glyphs import age, meter
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    sentence,
    span_width,
    wrapped,
)
from tokentop.views.tui.draw.kit.table import Column, Order, column_at, headings
from tokentop.views.tui.draw.layout import ENGINES, LARGE, MEDIUM, Place, rising
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, engines_online
from tokentop.views.tui.draw.panel import Panel, Places
from tokentop.views.tui.draw.panels.engines.rows import (
    FIGURES,
    Row,
    columns,
    listed,
    place_of,
    start_at,
)

TITLE = "engines"


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The table in exactly `height` lines of `width` cells; the last one counts the rows cut."""
    sort, wanted, reverse = options.engine_sort, options.engine_filter, options.engine_reverse
    rows = listed(snapshot.engines, sort, wanted, reverse=reverse)
    if not rows:
        return sentence(_absence(snapshot, options), width, height)
    room = height - 1 if len(rows) > height > 1 else height
    at = place_of(rows, options.cursor) if options.cursor is not None else None
    start = start_at(len(rows), room, options.offset if at is not None else 0, at)
    cols = _columns(snapshot, width, options)
    shown = rows[start : start + room]
    drawn = [
        _row(row, cols, width, options, selected=start + i == at) for i, row in enumerate(shown)
    ]
    if at is not None and len(drawn) + 1 < height:
        drawn += _advice(rows[at].engine, width, height - len(drawn) - 1)
    if room < height:
        drawn.append(_position(start, room, len(rows), moves=at is not None))
    return block(drawn, width, height)


def _advice(engine: Engine | None, width: int, room: int) -> list[Line]:
    """Below the table: what is wrong with the engine under the cursor, and what to do."""
    sentences = [engine.error, engine.advice] if engine else []
    text = " ".join(clean(words, 300).rstrip(".") + "." for words in sentences if words)
    if not text:
        return []
    rows: list[Line] = [[(row, "warn")] for row in wrapped(text, width, max(1, room))]
    return [[], *rows]


def heads(snapshot: Snapshot, width: int, _height: int, options: DrawOptions) -> Line:
    """The column headings, the one sorted by brighter."""
    if not listed(snapshot.engines, options.engine_sort, options.engine_filter):
        return []
    sort, falling = options.engine_sort, options.engine_sort in FIGURES
    order = Order(sort, _SORTED, falling != options.engine_reverse)
    shown = options.cursor is not None or sort != "model" or options.engine_reverse
    return headings(_columns(snapshot, width, options), _room_before, order if shown else None)


def sort_at(snapshot: Snapshot, width: int, x: int, options: DrawOptions) -> str | None:
    """The sort that the heading in cell `x` stands for."""
    column = column_at(_columns(snapshot, width, options), _room_before, x)
    return _SORTED.get(column.key) if column else None


def _room_before(column: Column) -> int:
    return len(_gap(column))


def _columns(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Column]:
    """The columns that fit; the heading of the sparklines gives the time that they cover."""
    spans = (options.trends(row.id).span_s for row in snapshot.engines[:1])
    head = next((f"last {max(1, round(s / 60))} min" for s in spans if s), "")
    cols = columns(snapshot.engines, width)
    return [c._replace(head=head) if c.key == "trend" else c for c in cols]


_SORTED = {
    "model": "model", "kind": "kind", "slots": "slots", "queue": "queue", "kv": "kv",
    "speed": "tok/s", "trend": "tok/s", "kvbar": "kv", "ttft": "ttft", "state": "state",
}  # fmt: skip


def title(_snapshot: Snapshot, options: DrawOptions) -> str:
    """The title, with the order and the filter where they are not the usual ones."""
    parts = [TITLE]
    if options.engine_sort != "model":
        parts.append(f"by {options.engine_sort}")
    if options.engine_filter:
        parts.append("/" + clean(options.engine_filter, 24))
    return " · ".join(parts)


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """How many are online, their tokens per second together, and a search without room for all."""
    up, of = engines_online(snapshot)
    if not of:
        return []
    line: Line = [(str(up), "bright"), (f"/{of} online", "dim")]
    speed = snapshot.throughput.generation_tokens_per_s
    if known(speed):
        figure = fmt.rate(speed, fmt.lower_bound(snapshot.engines, options))
        line += [(" · ", "dim"), (figure, "bright"), (" tok/s", "dim")]
    tried, candidates = options.searched
    if tried < candidates and options.cursor is not None:  # the dashboard has no room for it
        line += [(f" · tried {tried} of {candidates}", "warn")]
    return line


def _position(start: int, room: int, count: int, *, moves: bool) -> Line:
    place = f"{start + 1}–{start + room} of {count}"
    if not moves:
        return [(place, "text"), (" · e opens them all", "dim")]
    return [(place, "text"), (" · j k to move, enter opens", "dim")]


def _gap(column: Column) -> str:
    return " " if column.key == "model" else "  "


def _row(
    row: Row, cols: Sequence[Column], width: int, options: DrawOptions, *, selected: bool
) -> Line:
    if row.engine is None:
        return _heading(row, width, options)
    engine = row.engine
    line: Line = []
    for column in cols:
        line += [(_gap(column), "text")] if line else []
        line += _cell(engine, column, options)
    if engine.state in DOWN_STATES:
        line = [*line[:2], *_down(engine, line[2:])]
    elif engine.state in SILENT_STATES:
        line = [line[0], *dimmed([line[1:]])[0]]
    if selected:  # the pointer takes the first gap, so that nothing moves
        line[1] = (">" if options.ascii else "▸", "selected")
    return exact(line, width)


def _down(engine: Engine, cells: Line) -> Line:
    """The brightest row: in place of the figures that it has no longer, what is wrong."""
    name = fmt.engine_name(engine)
    room, text = span_width(cells), clean(engine.error or engine.state, 200)
    size = min(cell_width(name), max(room // 3, room - cell_width(text) - 2))
    return [(fit(name, size), "error"), ("  ", "text"), (fit(text, room - size - 2), "error")]


def _heading(row: Row, width: int, options: DrawOptions) -> Line:
    """A group with the sums of its engines; a router's figures repeat theirs and are left out."""
    whole = [e for e in row.members if not e.router] or list(row.members)
    active, slots = total([e.active for e in whole]), total([e.max_slots for e in whole])
    all_slots = approx(fmt_count(slots), any(e.slots_estimated for e in whole))
    queued = total([e.queued for e in whole])
    speed = total([e.generation_tokens_per_s for e in whole])
    words = f" {fmt_count(active)}/{all_slots} active  {fmt_count(queued)} queued "
    rate = f" {fmt.rate(speed, fmt.lower_bound(whole, options))} tok/s "
    count = f" · {len(row.members)} "
    left = f"─ {row.group}{count}" if row.group else count
    rest = width - len(words) - len(rate) - 2
    if rest < 12:
        return [(fit(left, width), "title")]
    tail: Line = [(words, "dim"), ("─", "frame"), (rate, "dim"), ("─", "frame")]
    name = fit(left, min(rest, len(left)))
    bar = max(0, width - span_width([(name, ""), *tail]))
    return [(name, "title"), ("─" * bar, "frame"), *tail]


def _cell(engine: Engine, column: Column, options: DrawOptions) -> Line:
    """One cell of exactly the column's width."""
    if column.key == "mark":
        mark = engine_symbol(engine.state, plain=options.ascii)
        return [(mark, ENGINE_STYLES.get(engine.state, "dim"))]
    if column.key == "kvbar":
        return meter(engine.kv_cache, column.width)
    if column.key == "trend":
        return _trend(engine, column.width, options)
    if column.key == "model":
        return _name(engine, column.width)
    text, style = _words(engine, column, options)
    return [(fit(text, column.width, column.align), style if text != DASH else "dim")]


def _trend(engine: Engine, width: int, options: DrawOptions) -> Line:
    """The engine's tokens per second, each cell the highest of its share of the kept rounds."""
    trends = options.trends(engine.id)
    values = thinned(trends.tokens_per_s, width, trends.first)
    most = max((v for v in values if known(v)), default=None)
    drawn = sparkline(values, width, top=most, ascii=options.ascii)
    return [(drawn.replace("█", "▇"), "bar.line")]


def _name(engine: Engine, width: int) -> Line:
    """The model, and its address where there is room: replicas share their model."""
    name = fmt.engine_name(engine)
    address = clean((engine.url or "").partition("://")[2], 60)
    if address and address not in name and cell_width(name) + len(address) + 2 <= width:
        return exact([(name + "  ", "text"), (address, "dim")], width)
    return [(fit(name, width), "text")]


def _words(engine: Engine, column: Column, options: DrawOptions) -> tuple[str, str]:
    key = column.key
    if key == "kind":
        return clean(engine.kind, 20), "dim"
    if key == "slots":
        return fmt.slots(engine), "bright"
    if key == "queue":
        return fmt_count(engine.queued), "queued" if engine.queued else "text"
    if key == "kv":
        full = (engine.kv_cache or 0.0) >= KV_FULL
        return fmt.share(engine.kv_cache, about=engine.kv_estimated), "warn" if full else "text"
    if key == "state":
        return _state(engine, column.width, options)
    return _figure(engine, key, options), "bright" if key == "speed" else "text"


def _figure(engine: Engine, key: str, options: DrawOptions) -> str:
    if key == "vram":
        return DASH if engine.vram_bytes is None else gib(engine.vram_bytes) + "G"
    sign = fmt.lower_bound((engine,), options)
    return {
        "prompt": fmt.rate(engine.prompt_tokens_per_s, sign),
        "speed": fmt.rate(engine.generation_tokens_per_s, sign),
        "requests": fmt.rate(engine.requests_per_s),
        "ttft": fmt.span(engine.ttft_p95_s),
        "itl": fmt.span(engine.itl_p95_s),
        "e2e": fmt.span(engine.latencies.e2e.p95_s),
        "waited": fmt.span(engine.latencies.queue.p95_s),
        "hits": fmt.share(engine.prefix_hit_ratio),
    }[key]


def _state(engine: Engine, width: int, options: DrawOptions) -> tuple[str, str]:
    """The state, or the age of stale figures; only `online` is grey."""
    if engine.state == "stale":
        return f"{age(engine.age_s, options)} old", "warn"
    style = ENGINE_STYLES.get(engine.state, "dim")
    words = fmt.state_words(fmt.state(engine))
    word = next((w for w in words if len(w) <= width), words[-1])
    return word, "dim" if style == "active" else style


def _absence(snapshot: Snapshot, options: DrawOptions) -> str:
    if snapshot.engines:
        return f"No engine matches “{clean(options.engine_filter, 40)}”."
    tried, candidates = options.searched
    room = f"The last search had room for {tried} of {candidates} places. " * (tried < candidates)
    more = "The search goes on; `tokentop doctor` shows where."
    return f"No inference engine is known here. {room}{more}"


def _places(inputs: LayoutInputs) -> Places:
    """A row an engine; where all of them have one, the strip would only repeat the table."""
    count, rows = inputs.engines, inputs.engine_rows
    framed = {0, 5, *rising(3 + min(count, 3), 3 + count)}
    ruled = {0, *rising(2 + min(count, 2), 1 + max(1, count))}
    large = Place(LARGE, 7, tuple(sorted(framed)), "frame", flex=count > 8, whole=3 + rows)
    medium = Place(MEDIUM, 7, tuple(sorted(ruled)), "rule", 1, True, True, whole=1 + rows)
    return tuple(place._replace(contents=ENGINES, replaces="services") for place in (large, medium))


def _ticks(snapshot: Snapshot) -> bool:
    return any(e.state == "stale" for e in snapshot.engines)


PANEL = Panel(
    "engines", lines, title, summary, heads, places=_places, ticks=_ticks, opens="engines"
)
