"""The banner: tier, message and figures; when full it turns into the capacity panel."""

from tokentop.domain.economy.demand import banner
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean, fit, fmt_multiplier, fmt_percent
from tokentop.views.palette import badge_style, mode_style, tier_look, tier_style, tier_symbol
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
    """The banner's first words, by mode."""
    return clean(banner(snapshot.demand, snapshot.pricing, has_stack(snapshot)), 80)


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
    """Where the figures come from, and how old they are once they are."""
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
    word = tier_look(tier).word.upper()
    return [
        (f" {tier_symbol(tier, plain=options.ascii)} {word} ", badge_style(tier)),
        ("  ", "text"),
    ]


def _message(snapshot: Snapshot) -> str:
    """The tier's own sentence, where the headline does not say the same."""
    text = clean(snapshot.demand.message, 80)
    return "" if text == headline(snapshot) else text


def _short(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    demand = snapshot.demand
    style = tier_style(demand.tier)
    figures: Line = []
    bounded = len(_floor(snapshot, options))
    if demand.tier is not None:
        figures = [
            ("util " if width >= 48 else "", "dim"),
            (fit(fmt_percent(demand.utilization), 4, "right"), style),
            ("  " + fit(_second(snapshot, options), 5 + bounded, "right"), style),
            (" tok/s" if _own(snapshot) and width >= 48 else "", "dim"),
        ]
    texts = (*_shorter(headline(snapshot)), *_shorter(_message(snapshot)), "")
    mode = mode_style(demand.mode)
    words = [[*_badge(snapshot, options), (text, mode)] for text in texts]
    room = width - wide(figures) - 2
    return [sides(first_fit(words, room), figures, width), _under(snapshot, width, thin=True)]


def _shorter(text: str) -> tuple[str, ...]:
    """The headline, and what is left of it where there is less room."""
    head, _, tail = text.partition(" — ")
    return (text, tail or head) if head in ("Alpha", "FULL") else (text, head)


def _under(snapshot: Snapshot, width: int, *, thin: bool = False) -> Line:
    """Beneath: the utilisation bar, or the bar towards the next instance when full."""
    demand = snapshot.demand
    if demand.tier is None:
        return [("─" * width, "frame")]
    if demand.mode == "saturated" and not _own(snapshot):
        words: Line = [("next ", "dim"), (capacity.sentence_of(snapshot), "text"), ("  ", "text")]
        short: Line = [("next ", "dim"), (capacity.offer(snapshot), "text"), ("  ", "text")]
        left = first_fit([words, short, []], width - 16)
        return [*left, *capacity.progress(snapshot, width - wide(left))]
    if thin:
        return line_meter(demand.utilization, width, tier_style(demand.tier))
    return meter(demand.utilization, width, f"area.{demand.tier}")


def _tall(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    """Words at the left, the two figures large at the right, the bar beneath the words."""
    style = tier_style(snapshot.demand.tier)
    figures = _figures(snapshot, options, style)
    room = width - (wide(figures[0]) + 4 if figures else 0)
    mode = mode_style(snapshot.demand.mode)
    top: Line = [*_badge(snapshot, options), (headline(snapshot), mode)]
    rows = [top, _detail(snapshot), _under(snapshot, room)]
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
    """Utilisation and multiplier (or tokens a second) three rows tall, always the same width."""
    demand = snapshot.demand
    if demand.tier is None or demand.utilization is None:
        return []
    share = big(f"{demand.utilization * 100:3.0f}".replace(" ", "  "), options)
    second = big(_second(snapshot), options)
    units = ("util", "%", "") if options.ascii else ("", "", "%")
    tail = ("", "tok/s" if options.ascii else "", "" if options.ascii else "tok/s")
    if _floor(snapshot, options):
        tail = ("at", "least", "tok/s")
    drawn: list[Line] = []
    for i, (a, b) in enumerate(zip(share, second, strict=True)):
        left: Line = [(fit(a, 11, "right"), style), (" " + fit(units[i], 4), "dim")]
        right: Line = [(fit(b, 17, "right"), style)]
        if _own(snapshot):
            right = [(fit(b, 18, "right"), style), (" " + fit(tail[i], 5), "dim")]
        drawn.append([*left, *right])
    return drawn


def _own(snapshot: Snapshot) -> bool:
    """True on a box with engines and no stack, where the stack's multiplier prices nothing."""
    return bool(snapshot.engines) and not has_stack(snapshot)


def _floor(snapshot: Snapshot, options: DrawOptions) -> str:
    """The lower bound's sign, where the second figure is tokens a second."""
    return fmt.floor(snapshot.engines, options) if _own(snapshot) else ""


def _second(snapshot: Snapshot, options: DrawOptions | None = None) -> str:
    """The banner's second figure: the cost multiplier, or the engines' tokens a second."""
    if _own(snapshot):
        floor = _floor(snapshot, options) if options else ""
        return fmt.rate(snapshot.throughput.generation_tokens_per_s, floor)
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
