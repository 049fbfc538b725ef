"""The banner: tier, message and figures; when full, what the next instance would be."""

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean, fit, fmt_multiplier, fmt_percent
from tokentop.views.palette import badge_style, mode_style, tier_style, tier_symbol, tier_theme
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.glyphs import age, big, line_meter, meter
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    sides,
)
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.layout import EMPTY, LARGE, MEDIUM, SMALL, Place
from tokentop.views.tui.draw.layout_inputs import has_stack, waiting
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels import capacity


def headline(snapshot: Snapshot) -> str:
    """The banner's first words: the verdict's headline."""
    return clean(snapshot.demand.headline, 80)


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The banner in exactly `height` lines of `width` cells: one, two, or three and more."""
    drawn = (_tall if height >= 3 and width >= 72 else _short)(snapshot, width, options)
    body = block(drawn, width, height)
    return dimmed(body) if snapshot.demand.stale else body


def border(snapshot: Snapshot) -> str:
    """The frame's style: the mode's colour, grey while nothing is known."""
    mode = snapshot.demand.mode
    return "frame" if mode is None or snapshot.demand.stale else mode_style(mode)


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """Which formula the figures come from; their age where they are stale."""
    demand = snapshot.demand
    if demand.stale:
        return [(f"last good data {age(snapshot.data_age_s, options)} ago", "stale")]
    if demand.tier is None:
        return []
    formula = "ACTA's pressure" if demand.source == "acta" else f"local formula · {demand.profile}"
    return [(formula, "dim")]


def _badge(snapshot: Snapshot, options: DrawOptions) -> Line:
    tier = snapshot.demand.tier
    if tier is None:
        return []
    word = tier_theme(tier).word.upper()
    return [
        (f" {tier_symbol(tier, plain=options.ascii)} {word} ", badge_style(tier)),
        ("  ", "text"),
    ]


def _message(snapshot: Snapshot) -> str:
    """The tier's own sentence, where it is another one than the headline."""
    text = clean(snapshot.demand.message, 80)
    return "" if text == headline(snapshot) else text


def _short(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    demand = snapshot.demand
    style = tier_style(demand.tier)
    figures: Line = []
    bound = len(_bound_sign(snapshot, options))
    if demand.tier is not None:
        figures = [
            ("util " if width >= 48 else "", "dim"),
            (fit(fmt_percent(demand.utilization), 4, "right"), style),
            ("  " + fit(_second_figure(snapshot, options), 5 + bound, "right"), style),
            (" tok/s" if _engines_only(snapshot) and width >= 48 else "", "dim"),
        ]
    texts = (*_with_short(headline(snapshot)), *_with_short(_message(snapshot)), "")
    mode = mode_style(demand.mode)
    words = [[*_badge(snapshot, options), (text, mode)] for text in texts]
    room = width - wide(figures) - 2
    return [sides(first_fit(words, room), figures, width), _bar(snapshot, width, thin=True)]


def _with_short(text: str) -> tuple[str, ...]:
    """A headline, and a shorter form of it for less room."""
    head, _, tail = text.partition(" — ")
    return (text, tail or head) if head in ("Alpha", "FULL") else (text, head)


def _bar(snapshot: Snapshot, width: int, *, thin: bool = False) -> Line:
    """The utilisation bar; when full, the bar towards the next instance."""
    demand = snapshot.demand
    if demand.tier is None:
        return [("─" * width, "frame")]
    if demand.mode == "saturated" and not _engines_only(snapshot):
        words: Line = [("next ", "dim"), (capacity.sentence_of(snapshot), "text"), ("  ", "text")]
        short: Line = [("next ", "dim"), (capacity.offer(snapshot), "text"), ("  ", "text")]
        left = first_fit([words, short, []], width - 16)
        return [*left, *capacity.progress(snapshot, width - wide(left))]
    if thin:
        return line_meter(demand.utilization, width, tier_style(demand.tier))
    return meter(demand.utilization, width, f"area.{demand.tier}")


def _tall(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    """Words at the left with the bar below, the two figures large at the right."""
    style = tier_style(snapshot.demand.tier)
    figures = _figures(snapshot, options, style)
    room = width - (wide(figures[0]) + 4 if figures else 0)
    mode = mode_style(snapshot.demand.mode)
    top: Line = [*_badge(snapshot, options), (headline(snapshot), mode)]
    rows = [top, _detail(snapshot), _bar(snapshot, room)]
    if not figures:
        return rows
    return [[*exact(row, room), ("    ", "text"), *figures[i]] for i, row in enumerate(rows)]


def _detail(snapshot: Snapshot) -> Line:
    if snapshot.demand.tier is None:
        text = "Asking the driver and the services." if waiting(snapshot) else _message(snapshot)
        return [(text, "dim")]
    queued = snapshot.llm.queued
    words: Line = [(_message(snapshot), "text")]
    if snapshot.demand.mode == "saturated" and queued is not None:
        words += [(" · " if words[0][0] else "", "dim"), (f"{queued} waiting", "text")]
    return words


def _figures(snapshot: Snapshot, options: DrawOptions, style: str) -> list[Line]:
    """Utilisation and multiplier (or tokens/s) three rows tall, always the same width."""
    demand = snapshot.demand
    if demand.tier is None or demand.utilization is None:
        return []
    share = big(f"{demand.utilization * 100:3.0f}".replace(" ", "  "), options)
    second = big(_second_figure(snapshot), options)
    units = ("util", "%", "") if options.ascii else ("", "", "%")
    tail = ("", "tok/s" if options.ascii else "", "" if options.ascii else "tok/s")
    if _bound_sign(snapshot, options):
        tail = ("at", "least", "tok/s")
    drawn: list[Line] = []
    for i, (a, b) in enumerate(zip(share, second, strict=True)):
        left: Line = [(fit(a, 11, "right"), style), (" " + fit(units[i], 4), "dim")]
        right: Line = [(fit(b, 17, "right"), style)]
        if _engines_only(snapshot):
            right = [(fit(b, 18, "right"), style), (" " + fit(tail[i], 5), "dim")]
        drawn.append([*left, *right])
    return drawn


def _engines_only(snapshot: Snapshot) -> bool:
    """True on a box with engines and no stack, where the multiplier has no price to multiply."""
    return bool(snapshot.engines) and not has_stack(snapshot)


def _bound_sign(snapshot: Snapshot, options: DrawOptions) -> str:
    """The sign of a lower bound, where the second figure is tokens per second."""
    return fmt.lower_bound(snapshot.engines, options) if _engines_only(snapshot) else ""


def _second_figure(snapshot: Snapshot, options: DrawOptions | None = None) -> str:
    """The banner's second figure: the cost multiplier, or the engines' tokens per second."""
    if _engines_only(snapshot):
        sign = _bound_sign(snapshot, options) if options else ""
        return fmt.rate(snapshot.throughput.generation_tokens_per_s, sign)
    return fmt_multiplier(snapshot.pricing.multiplier)


PANEL = Panel(
    "banner",
    lines,
    "demand",
    summary,
    style=border,
    places=(
        Place(LARGE, 1, (5,), "frame"),
        Place(MEDIUM, 1, (2,), inset=1),
        Place(SMALL, 0, (1, 2), inset=1, inset_from=30),
        Place(LARGE, 3, (5,), "frame", contents=EMPTY),
        Place((*MEDIUM, *SMALL), 3, (2,), inset=1, contents=EMPTY),
    ),
    ticks=lambda snapshot: snapshot.demand.stale,
)
