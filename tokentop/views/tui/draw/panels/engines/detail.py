"""One engine in full: all its figures, what to do about its state, and its last half hour."""

from collections.abc import Sequence
from functools import partial

from tokentop.domain.engines.history import Trends
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import Engine, Latencies, Quantiles
from tokentop.domain.text import (
    DASH,
    cell_width,
    clean,
    fit,
    fmt_bytes,
    fmt_count,
    fmt_duration,
    fmt_usd,
    known,
)
from tokentop.views.palette import ENGINE_STYLES, engine_symbol
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.cells import sparkline, thinned
from tokentop.views.tui.draw.kit.glyphs import age
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    exact,
    joined,
    sentence,
    sides,
    window,
    wrapped,
)
from tokentop.views.tui.draw.panel import Panel

_LABEL = 15
_NAMES = 4  # in one row
_TWO = 92  # cells from which facts stand in two columns
_SOURCES = {
    "reported": "reported by the server", "argv": "from its command line",
    "derived": "estimated", "configured": "configured",
}  # fmt: skip
Facts = list[tuple[str, str]]


def find(snapshot: Snapshot, identity: str) -> Engine | None:
    """The engine with that id; None where it is gone."""
    return next((e for e in snapshot.engines if e.id == identity), None)


def panel(identity: str, trends: Trends) -> Panel:
    """The panel of the engine with that id; `trends` are its kept rounds."""

    def inside(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
        return lines(find(snapshot, identity), trends, width, height, options)

    def title(snapshot: Snapshot, _options: DrawOptions) -> str:
        engine = find(snapshot, identity)
        return fmt.engine_name(engine) if engine else "engine"

    def figure(snapshot: Snapshot, options: DrawOptions) -> Line:
        return summary(find(snapshot, identity), options)

    return Panel("engine", inside, title, figure, ticks=lambda _: True)


def lines(
    engine: Engine | None, trends: Trends, width: int, height: int, options: DrawOptions
) -> list[Line]:
    """The page in exactly `height` lines of `width` cells, from row `options.offset` on."""
    if engine is None:
        return sentence("This engine is not there any more; esc goes back.", width, height)
    rows = page(engine, trends, width, options)
    return window(rows, width, height, options.offset)


def summary(engine: Engine | None, options: DrawOptions) -> Line:
    """Its state, with the symbol that the table shows."""
    if engine is None:
        return []
    style = ENGINE_STYLES.get(engine.state, "dim")
    mark = engine_symbol(engine.state, plain=options.ascii)
    return [(mark + " ", style), (fmt.state(engine), style)]


def page(engine: Engine, trends: Trends, width: int, options: DrawOptions) -> list[Line]:
    """All rows of the page, whatever the height."""
    groups = (
        ("load", _load(engine)),
        ("tokens and latency", _speed(engine, options)),
        ("server", _server(engine, options)),
        ("requests ended", _ended(engine)),
    )
    tables = [_table(title, facts, _column(width)) for title, facts in groups]
    rows = [*_words(engine, width), *_trends(engine, trends, width, options), []]
    if width >= _TWO:
        rows += _two_columns([*tables[0], [], *tables[3]], [*tables[1]], width)
        rows += [[], *_table("server", groups[2][1], width)]
    else:
        rows += [line for table in tables for line in (*table, [])]
    return [*rows, *_spend(engine, width)]


def _column(width: int) -> int:
    return width // 2 - 2 if width >= _TWO else width


def _words(engine: Engine, width: int) -> list[Line]:
    """What is wrong and what the user can do about it."""
    rows: list[Line] = []
    for text, style in ((engine.error, "error"), (engine.advice, "warn")):
        if text:
            rows += [[(row, style)] for row in wrapped(clean(text, 400), width, 3)]
    return [*rows, []] if rows else []


def _trends(engine: Engine, trends: Trends, width: int, options: DrawOptions) -> list[Line]:
    """Tokens per second, queue and KV cache over the kept rounds, newest at the right."""
    room = max(8, width - _LABEL - 10)
    span = f"the last {fmt_duration(trends.span_s)}" if trends.span_s else "no history yet"
    rows = [sides([("history", "title")], [(span, "dim")], width)]
    tokens = partial(fmt.rate, sign=fmt.lower_bound([engine], options))
    share = partial(fmt.share, about=engine.kv_estimated)
    for label, values, top, write in (
        ("tokens/s", trends.tokens_per_s, None, tokens),
        ("queue", trends.queued, None, fmt_count),
        ("KV cache", trends.kv_cache, 1.0, share),
    ):
        most = top or max((v for v in values if known(v)), default=None)
        latest = values[-1] if values else None
        shares = thinned(values, room, trends.first)
        rows.append(
            [
                (fit(label, _LABEL), "dim"),
                (sparkline(shares, room, top=most, ascii=options.ascii), "bar.line"),
                (fit(write(latest), 8, "right"), "dim" if latest is None else "bright"),
            ]
        )
    return rows


def _load(engine: Engine) -> Facts:
    source = _SOURCES.get(engine.slots_source or "", "")
    slots = fmt.slots(engine) + (f"  {source}" if source else "")
    return [
        ("active", slots),
        ("queue", fmt_count(engine.queued)),
        ("KV cache", fmt.share(engine.kv_cache, about=engine.kv_estimated)),
        ("VRAM held", fmt_bytes(engine.vram_bytes)),
        ("back-pressure", {None: DASH, True: "yes", False: "no"}[engine.back_pressure]),
    ]


def _speed(engine: Engine, options: DrawOptions) -> Facts:
    sign = fmt.lower_bound((engine,), options)
    return [
        ("generation", _with(fmt.rate(engine.generation_tokens_per_s, sign), " tok/s")),
        ("prompt", _with(fmt.rate(engine.prompt_tokens_per_s, sign), " tok/s")),
        ("requests", _with(fmt.rate(engine.requests_per_s), " /s")),
        *_latencies(engine.latencies),
        ("prefix hits", fmt.share(engine.prefix_hit_ratio)),
        ("preemptions", fmt_count(engine.preemptions)),
        ("rejections", fmt_count(engine.rejections)),
        ("silent burn", fmt.share(engine.burn, about=True)),
    ]


def _latencies(found: Latencies) -> Facts:
    """Medians, 95th and 99th percentiles; the first two always, others where they are reported."""
    usual = (("first token", found.ttft), ("next tokens", found.itl))
    others = (
        ("whole request", found.e2e),
        ("in the queue", found.queue),
        ("prefill", found.prefill),
        ("decode", found.decode),
    )
    reported = [(label, spread) for label, spread in others if spread != Quantiles()]
    return [
        (label, _with(fmt.spans(*spread), "  median/p95/p99"))
        for label, spread in (*usual, *reported)
    ]


def _with(figure: str, unit: str) -> str:
    return figure if figure == DASH else figure + unit


def _server(engine: Engine, options: DrawOptions) -> Facts:
    """Its address and how it is read."""
    latency = f", in {engine.latency_ms:.0f} ms" if known(engine.latency_ms) else ""
    source = "a Prometheus server" if engine.source == "prometheus" else "the engine itself"
    facts = [
        ("URL", engine.url or DASH),
        ("engine", " ".join(filter(None, (engine.kind, engine.version)))),
        ("models", _names(engine.models or (), 0 if engine.adapters else engine.names_more)),
        ("read from", f"{source}, {age(engine.age_s, options)} ago{latency}"),
        ("processes", ", ".join(map(str, engine.pids)) or DASH),
    ]
    more: list[tuple[str, str | None]] = [("name", engine.name), ("group", engine.group)]
    if engine.aliases:
        more.append(("aliases", _names(engine.aliases, 0)))
    if engine.adapters:
        more.append(("LoRA adapters", _names(engine.adapters, engine.names_more)))
    more += [("backends", ", ".join(engine.backends) or None)] if engine.router else []
    note = [("router", "its traffic is the engines' traffic and is not added to theirs")]
    return [
        *facts, *((label, text) for label, text in more if text), *(note if engine.router else []),
    ]  # fmt: skip


def _names(names: Sequence[str], further: int) -> str:
    """The first of the names, and how many more there are."""
    shown = names[:_NAMES]
    more = len(names) - len(shown) + further
    text = ", ".join(clean(name, 60) for name in shown)
    return (f"{text} and {more:,} more" if more else text) or DASH


def _ended(engine: Engine) -> Facts:
    done = engine.finished
    return [
        ("stop", fmt_count(done.stop)),
        ("length", fmt_count(done.length)),
        ("abort", fmt_count(done.abort)),
        ("error", fmt_count(done.error)),
    ]


def _table(title: str, facts: Facts, width: int) -> list[Line]:
    rows: list[Line] = [[(title, "title")]]
    for label, text in facts:
        shown = clean(text, 300)
        room = max(1, width - _LABEL)
        style = "dim" if shown.startswith(DASH) else "text"
        value = fit(shown, min(room, cell_width(shown)))
        rows.append([(fit(label, _LABEL), "dim"), (value, style)])
    return rows


def _two_columns(left: list[Line], right: list[Line], width: int) -> list[Line]:
    half, height = width // 2, max(len(left), len(right))
    pairs = zip(block(left, half, height), block(right, width - half, height), strict=True)
    return [[*a, *b] for a, b in pairs]


def _spend(engine: Engine, width: int) -> list[Line]:
    """A router's accounts, the most expensive first."""
    if not engine.spend:
        return []
    ranked = sorted(engine.spend, key=lambda s: -(s.usd or 0.0))
    rows: list[Line] = [[], [("spend by team and key", "title")]]
    for one in ranked[:20]:
        name = clean(" / ".join(filter(None, (one.team, one.key))) or DASH, 60)
        figures = joined(
            [
                [(fit(fmt_usd(one.usd), 8, "right"), "bright")],
                [(fit(fmt_count(one.tokens), 7, "right"), "text"), (" tokens", "dim")],
            ]
        )
        rows.append(exact([(fit(name, min(36, width // 2)), "text"), *figures], width))
    return rows
