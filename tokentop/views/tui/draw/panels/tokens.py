"""The tokens panel: throughput, latency and cost, and how they went lately."""

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import DASH, cell_width, clean, fit, fmt_count, fmt_usd, known
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.facts import FIGURE, Fact, fact_line
from tokentop.views.tui.draw.kit.glyphs import age, old
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    joined,
    sentence,
)
from tokentop.views.tui.draw.kit.trend import (
    KV,
    QUEUE,
    TOKENS,
    TTFT,
    aligned,
    period,
    trend_line,
    trend_pairs,
)
from tokentop.views.tui.draw.layout import ENGINES, LARGE, MEDIUM, SMALL, STACK, Place
from tokentop.views.tui.draw.layout_inputs import LayoutInputs, none_serves
from tokentop.views.tui.draw.panel import Panel, Places

_THREE = 66  # cells from which throughput, latency and cost stand side by side
_FOUR = 140  # the same with the trends beside them
_PAIRS, _NARROW = 64, 48  # two trends in a row, one
_SHARES = (31, 34, 35)  # of the width: throughput, latency, cost
_FLAT = (TOKENS, TTFT, KV, QUEUE)
_TRENDS = ((TOKENS, TTFT), (KV, QUEUE))
_FACTS = 80  # the least cells of the three columns beside the trends


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The panel in exactly `height` lines of `width` cells."""
    if not any(f.value != DASH for group in _groups(snapshot, options) for f in group):
        when = "reports tokens now" if none_serves(snapshot) else "has reported tokens yet"
        return sentence(f"No engine {when}.", width, height)
    if width >= _FOUR and height >= 4:
        drawn = _beside_trends(snapshot, width, height, options)
    elif not options.summary_hidden and width >= _NARROW and height >= 2:
        drawn = _below_trends(snapshot, width, height, options)
    elif height < 4:
        drawn = _short(snapshot, width, height, options)
    elif width >= _THREE:
        drawn = _columns(snapshot, width, height, options)
    else:
        facts = [fact for group in _groups(snapshot, options) for fact in group]
        drawn = [fact_line(fact, width, 10) for fact in facts]
    body = block(drawn, width, height)
    return dimmed(body) if snapshot.llm.stale else body


def _beside_trends(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The three columns, and the trends in the rest of the width."""
    taken = max(_FACTS, width * 9 // 20)
    room = width - taken - 2
    facts = block(_columns(snapshot, taken, height, options), taken + 2, height)
    trends: list[Line] = [trend_line(trend, room, options, 8) for trend in aligned(_FLAT)]
    if height > len(trends):
        trends.insert(0, [*exact([("trends", "dim")], room - 12), ("least–most", "dim")])
    drawn = block(trends, room, height)
    return [[*a, *b] for a, b in zip(facts, drawn, strict=True)]


def _below_trends(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """Rows of trends, two side by side where it is wide, and the other figures under them."""
    newest = _newest(snapshot, options)
    if width < _PAIRS:
        trends = [trend_line(t, width, options, 8, newest[t.label]) for t in aligned(_FLAT)]
        return [*trends, *_others(snapshot, width, options)]
    trends = trend_pairs(_TRENDS, width, options, newest)
    room = height - len(trends)
    if room < 4:
        return [*trends, *_others(snapshot, width, options)]
    return [*trends, *_columns(snapshot, width, room, options)]


def _newest(snapshot: Snapshot, options: DrawOptions) -> dict[str, str]:
    """The present figures of the trends, by their labels."""
    rates, sign = snapshot.throughput, fmt.lower_bound(snapshot.engines, options)
    return {
        TOKENS.label: fmt.rate(rates.generation_tokens_per_s, sign),
        TTFT.label: fmt.span(rates.ttft_p95_s),
        KV.label: fmt.share(snapshot.llm.kv_cache, about=snapshot.llm.kv_estimated),
        QUEUE.label: fmt_count(snapshot.llm.queued),
    }


def _others(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    """Two lines with what the trends do not show, the most important figures first."""
    parts = _parts(snapshot, options)
    speed = [parts[name] for name in ("ttft", "itl", "prompt", "requests")]
    priced = ("busy", "best") if snapshot.cost.basis is not None else ()
    rest = [parts[name] for name in (*priced, "burn", "hits", "preemptions")]
    return [_widest([part[:n] for n in range(len(part), 0, -1)], width) for part in (speed, rest)]


def title(_snapshot: Snapshot, options: DrawOptions) -> str:
    """The title with the span of the sparklines."""
    return " · ".join(filter(None, ("tokens", period(options))))


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """Tokens per second and USD per hour; the age where they are stale."""
    if snapshot.llm.stale:
        return [(f"stale · {age(snapshot.llm.age_s, options)}", "stale")]
    speed = snapshot.throughput.generation_tokens_per_s
    hourly = snapshot.cost.usd_per_hour
    words: list[Line] = []
    if known(speed):
        figure = fmt.rate(speed, fmt.lower_bound(snapshot.engines, options))
        words.append([(figure, "bright"), (" tok/s", "dim")])
    if known(hourly):
        money = fmt.prices(snapshot, options)
        words.append([(money["usd_per_hour"], "bright"), ("/h", "dim")])
        if known(snapshot.cost.usd_per_mtok_reserved):
            words.append([(money["usd_per_mtok_reserved"], "bright"), ("/Mtok", "dim")])
    return joined(words, " · ")


def _silent_burn(snapshot: Snapshot, options: DrawOptions) -> Fact:
    """The estimated share of work that ended for nothing; marked above the threshold."""
    value = snapshot.throughput.burn
    above = known(value) and value > options.burn_at
    mark = ("! " if options.ascii else "▲ ") if above else ""
    return Fact(
        "silent burn", mark + fmt.share(value, about=True), "", "warn" if above else "bright"
    )


def _groups(snapshot: Snapshot, options: DrawOptions) -> tuple[list[Fact], list[Fact], list[Fact]]:
    """Throughput, latency and cost."""
    rates, sign = snapshot.throughput, fmt.lower_bound(snapshot.engines, options)
    throughput = [
        Fact("generation", fmt.rate(rates.generation_tokens_per_s, sign), "tok/s"),
        Fact("prompt", fmt.rate(rates.prompt_tokens_per_s, sign), "tok/s"),
        Fact("requests", fmt.rate(rates.requests_per_s), "/s"),
        Fact("prefix hits", fmt.share(rates.prefix_hit_ratio)),
    ]
    latency = [
        Fact("first token", fmt.spans(rates.ttft_s, rates.ttft_p95_s)),
        Fact("next tokens", fmt.spans(rates.itl_s, rates.itl_p95_s)),
        Fact("preemptions", fmt_count(rates.preemptions)),
        _silent_burn(snapshot, options),
    ]
    return throughput, latency, _costs(snapshot, options)


def _costs(snapshot: Snapshot, options: DrawOptions) -> list[Fact]:
    """Without a price only the energy, which is measured."""
    cost = snapshot.cost
    if cost.basis is None:
        energy = None if cost.kwh_per_mtok is None else f"{cost.kwh_per_mtok:.3g}"
        measured = [
            *([Fact("energy/Mtok", energy, "kWh")] if energy else []),
            *([Fact("GPU power", fmt_count(cost.watts), "W")] if known(cost.watts) else []),
        ]
        return [Fact("cost/Mtok", DASH, "no price set"), *measured, *_reference(snapshot)]
    if cost.needs:
        return [Fact("cost/Mtok", f"set {cost.needs}", "", "warn"), *_reference(snapshot)]
    money = fmt.prices(snapshot, options)
    return [
        Fact("now", money["usd_per_hour"], "/h"),
        Fact("all time", money["usd_per_mtok_reserved"], "/Mtok"),
        Fact("busy time", money["usd_per_mtok_busy"], "/Mtok"),
        Fact("best seen", money["usd_per_mtok_best"], "/Mtok"),
        *_reference(snapshot),
    ]


def _reference(snapshot: Snapshot) -> list[Fact]:
    cost = snapshot.cost
    if cost.reference_usd_per_mtok is None:
        return []
    name = clean(cost.reference_name or "reference", 40)
    return [Fact(name, fmt_usd(cost.reference_usd_per_mtok), "/Mtok", "text")]


def _columns(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """Three columns with headings; where room is short the hour's price is in the summary alone."""
    groups = _groups(snapshot, options)
    if height < 1 + len(groups[2]) and groups[2][0].label == "now":
        groups = (groups[0], groups[1], groups[2][1:])
    rows = max(map(len, groups))
    titled = height > rows
    # Room for a lower bound's sign is kept where it does not cost a unit.
    bound = width >= 84 and any(e.kind == "llamacpp" for e in snapshot.engines)
    edges = [width * sum(_SHARES[:i]) // 100 for i in range(4)]
    drawn: list[Line] = [[] for _ in range(rows + titled)]
    for i, (head, group) in enumerate(zip(_HEADS, groups, strict=True)):
        room = edges[i + 1] - edges[i]
        column: list[Line] = [[(head, "dim")]] if titled else []
        figure = 12 if group is groups[1] else 7 if group is groups[2] else FIGURE + bound
        column += [fact_line(fact, min(room - 1, 36), figure) for fact in group]
        for y, row in enumerate(block(column, room, rows + titled)):
            drawn[y] += row
    return drawn


_HEADS = ("throughput", "latency: median/p95", "cost of 1M generated")


def _parts(snapshot: Snapshot, options: DrawOptions) -> dict[str, Line]:
    """Every figure as a few words, for one line of them."""
    rates, sign = snapshot.throughput, fmt.lower_bound(snapshot.engines, options)
    money = fmt.prices(snapshot, options)
    burn = _silent_burn(snapshot, options)
    return {
        "generation": _pair("gen", fmt.rate(rates.generation_tokens_per_s, sign), " tok/s"),
        "prompt": _pair("prompt", fmt.rate(rates.prompt_tokens_per_s, sign), ""),
        "requests": _pair("req", fmt.rate(rates.requests_per_s), "/s"),
        "ttft": _pair("first token", fmt.spans(rates.ttft_s, rates.ttft_p95_s), ""),
        "itl": _pair("next", fmt.spans(rates.itl_s, rates.itl_p95_s), ""),
        "hits": _pair("hits", fmt.share(rates.prefix_hit_ratio), ""),
        "preemptions": _pair("preempted", fmt_count(rates.preemptions), ""),
        "burn": [("burn ", "dim"), (burn.value, "dim" if burn.value == DASH else burn.style)],
        "hour": _pair("", money["usd_per_hour"], "/h"),
        "token": _pair("", money["usd_per_mtok_reserved"], "/Mtok"),
        "busy": _pair("busy", money["usd_per_mtok_busy"], ""),
        "best": _pair("best", money["usd_per_mtok_best"], ""),
    }


def _short(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """One to three lines, the most important figures first."""
    parts = _parts(snapshot, options)
    generation, ttft, itl, burn = (parts[n] for n in ("generation", "ttft", "itl", "burn"))
    if snapshot.llm.stale and options.summary_hidden:
        generation.append((f"  {old(snapshot.llm.age_s, options)}", "stale"))
    with_price = snapshot.cost.basis is not None
    priced = [parts["hour"], parts["token"]] if with_price else []
    if height == 1:
        full = [generation, parts["prompt"], ttft, *priced, burn]
        return [_widest([full, [generation, ttft, *priced], [generation, *priced], [generation]],
                        width)]  # fmt: skip
    hits = parts["hits"]
    second = [*priced, parts["busy"], parts["best"], hits] if with_price else [hits, itl]
    first = [generation, parts["prompt"], parts["requests"], ttft, itl, burn]
    return [
        _widest([first[:n] for n in (6, 5, 4, 2, 1)], width),
        _widest([second[:n] for n in range(len(second), 0, -1)], width),
        _widest([[itl, burn], [burn]], width) if height > 2 and width < 100 else [],
    ]


def _pair(label: str, value: str, unit: str) -> Line:
    style = "dim" if value == DASH else "bright"
    figure = (fit(value, max(FIGURE, cell_width(value)), "right"), style)
    return [((label + " ") if label else "", "dim"), figure, (unit, "dim")]


def _widest(choices: list[list[Line]], width: int) -> Line:
    return first_fit([joined(choice, "   ") for choice in choices], width)


def _places(inputs: LayoutInputs) -> Places:
    """Only where there are engines; a box without the stack has more room for them."""
    if not inputs.engines:
        return ()
    gpus = "gpus" if inputs.gpu_rows else ""
    return (
        Place(LARGE, 7, (4, 6, 7, 8), "frame", contents=STACK),
        Place(LARGE, 4, (6, 7, 8), "frame", contents=ENGINES),
        Place(MEDIUM, 9, (3, 5), "rule", 1, contents=STACK, below=gpus),
        Place(MEDIUM, 4, (3, 5, 7, 8), "rule", 1, contents=ENGINES),
        Place(SMALL, 4, (1, 2), inset=1, inset_from=30),
    )


PANEL = Panel(
    "tokens",
    lines,
    title,
    summary,
    places=_places,
    ticks=lambda snapshot: snapshot.llm.stale,
    opens="costs",
)
