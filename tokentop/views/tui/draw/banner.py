"""The banner: tier, message and figures; when full it turns into the capacity panel."""

from tokentop.domain.demand import banner
from tokentop.domain.model import Snapshot
from tokentop.domain.text import clean, fit, fmt_multiplier, fmt_percent
from tokentop.views.palette import badge_style, tier_look, tier_style, tier_symbol
from tokentop.views.tui.draw import capacity
from tokentop.views.tui.draw.facts import offer, waiting
from tokentop.views.tui.draw.line import Line, Look, block, dimmed, exact, first_fit, sides
from tokentop.views.tui.draw.line import span_width as wide
from tokentop.views.tui.draw.marks import age, big, line_meter, meter


def headline(snapshot: Snapshot) -> str:
    """The banner's first words, by mode."""
    return clean(banner(snapshot.demand, snapshot.pricing, has_stack(snapshot)), 80)


def has_stack(snapshot: Snapshot) -> bool:
    """True where the seven-service stack is configured or answering."""
    if any(up for _, up in snapshot.services_online):
        return True
    return any(s.kind == "aither" and s.state in ("stale", "parked") for s in snapshot.services)


def lines(snapshot: Snapshot, width: int, height: int, look: Look) -> list[Line]:
    """The banner in exactly `height` lines of `width` cells: one, two, or three and more."""
    drawn = (_tall if height >= 3 and width >= 72 else _short)(snapshot, width, look)
    body = block(drawn, width, height)
    return dimmed(body) if snapshot.demand.stale else body


def border(snapshot: Snapshot) -> str:
    """The frame's style: the tier's colour, grey while nothing is known."""
    tier = snapshot.demand.tier
    return "frame" if tier is None or snapshot.demand.stale else tier_style(tier)


def summary(snapshot: Snapshot, look: Look) -> Line:
    """Where the figures come from, and how old they are once they are."""
    demand = snapshot.demand
    if demand.stale:
        return [(f"last good data {age(snapshot.data_age_s, look)} ago", "stale")]
    if demand.tier is None:
        return []
    formula = "ACTA's pressure" if demand.source == "acta" else f"local formula · {demand.profile}"
    return [(formula, "dim")]


def _badge(snapshot: Snapshot, look: Look) -> Line:
    tier = snapshot.demand.tier
    if tier is None:
        return []
    word = tier_look(tier).word.upper()
    return [(f" {tier_symbol(tier, plain=look.ascii)} {word} ", badge_style(tier)), ("  ", "text")]


def _message(snapshot: Snapshot) -> str:
    """The tier's own sentence, where the headline does not say the same."""
    text = clean(snapshot.demand.message, 80)
    return "" if text == headline(snapshot) else text


def _short(snapshot: Snapshot, width: int, look: Look) -> list[Line]:
    demand = snapshot.demand
    style = tier_style(demand.tier)
    figures: Line = []
    if demand.tier is not None:
        figures = [
            ("util " if width >= 48 else "", "dim"),
            (fit(fmt_percent(demand.utilization), 4, "right"), style),
            ("  " + fit(fmt_multiplier(snapshot.pricing.multiplier), 5, "right"), style),
        ]
    texts = (*_shorter(headline(snapshot)), *_shorter(_message(snapshot)), "")
    words = [[*_badge(snapshot, look), (text, style)] for text in texts]
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
    if demand.mode == "saturated":
        words: Line = [("next ", "dim"), (capacity.sentence_of(snapshot), "text"), ("  ", "text")]
        short: Line = [("next ", "dim"), (offer(snapshot), "text"), ("  ", "text")]
        left = first_fit([words, short, []], width - 16)
        return [*left, *capacity.progress(snapshot, width - wide(left))]
    if thin:
        return line_meter(demand.utilization, width, tier_style(demand.tier))
    return meter(demand.utilization, width, f"area.{demand.tier}")


def _tall(snapshot: Snapshot, width: int, look: Look) -> list[Line]:
    """Words at the left, the two figures large at the right, the bar beneath the words."""
    style = tier_style(snapshot.demand.tier)
    figures = _figures(snapshot, look, style)
    room = width - (wide(figures[0]) + 4 if figures else 0)
    top: Line = [*_badge(snapshot, look), (headline(snapshot), style)]
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


def _figures(snapshot: Snapshot, look: Look, style: str) -> list[Line]:
    """Utilisation and multiplier three rows tall, always the same width."""
    demand = snapshot.demand
    if demand.tier is None or demand.utilization is None:
        return []
    share = big(f"{demand.utilization * 100:3.0f}".replace(" ", "  "), look)
    cost = big(fmt_multiplier(snapshot.pricing.multiplier), look)
    units = ("util", "%", "") if look.ascii else ("", "", "%")
    drawn: list[Line] = []
    for i, (a, b) in enumerate(zip(share, cost, strict=True)):
        left: Line = [(fit(a, 11, "right"), style), (" " + fit(units[i], 4), "dim")]
        drawn.append([*left, (fit(b, 17, "right"), style)])
    return drawn
