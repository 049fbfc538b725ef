"""The banner: tier, message and figures; when full, what the next instance would be."""

from tokentop.domain.presence import presence
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean, fit, fmt_count, fmt_multiplier, fmt_percent, known
from tokentop.domain.verdict.tiers import mode_of
from tokentop.domain.verdict.values import Reason
from tokentop.views.palette import (
    badge_style,
    engine_symbol,
    mode_style,
    tier_style,
    tier_symbol,
    tier_theme,
)
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.glyphs import age, big, line_meter, meter, old
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    exact,
    first_fit,
    joined,
    sides,
)
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.layout import ALL, GPUS, LARGE, MEDIUM, SMALL, Place
from tokentop.views.tui.draw.layout_inputs import waiting
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels import capacity

_HEALTH_STYLES = {"down": "mode.saturated", "starting": "mode.pressure"}
_BADGES = {"down": "badge.saturated", "starting": "badge.warn"}
_SYMBOLS = {"down": "offline", "starting": "starting"}


def headline(snapshot: Snapshot) -> str:
    """The banner's first words: the verdict's headline."""
    return clean(snapshot.demand.headline, 120)


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The banner in exactly `height` lines of `width` cells: one, two, or three and more."""
    drawn = (_tall if height >= 3 and width >= 72 else _short)(snapshot, width, options)
    body = block(drawn, width, height)
    return dimmed(body) if snapshot.demand.stale and _is_well(snapshot) else body


def border(snapshot: Snapshot) -> str:
    """The frame's style: the headline's, grey while nothing is known."""
    unknown = snapshot.demand.mode is None or snapshot.demand.stale
    return "frame" if unknown and _is_well(snapshot) else _headline_style(snapshot)


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """Which formula the figures come from; their age where they are stale."""
    demand = snapshot.demand
    if demand.stale:
        return [(f"figures of {age(demand.age_s, options)} ago", "stale")]
    if demand.tier is None:
        return []
    if presence(snapshot) == "engines":
        return [(_of_pools(snapshot), "dim")]
    formula = "from ACTA" if demand.source == "acta" else f"local formula · {demand.profile}"
    return [(formula, "dim")]


def reasons(snapshot: Snapshot) -> list[Reason]:
    """Why the banner says what it says, the most important first: health, then demand."""
    return [*snapshot.health.reasons, *snapshot.demand.reasons]


def _of_pools(snapshot: Snapshot) -> str:
    """How many models there are besides the fullest one, whose figures these are."""
    count = sum(pool.tier is not None for pool in snapshot.demand.pools)
    return "its slots and KV cache" if count < 2 else f"the fullest of {count} models"


def _is_well(snapshot: Snapshot) -> bool:
    return snapshot.health.state not in ("down", "starting")


def _badge(snapshot: Snapshot, options: DrawOptions) -> Line:
    """Down or starting, where it is so; the tier of what serves."""
    state, tier = snapshot.health.state, snapshot.demand.tier
    badge: Line = []
    if not _is_well(snapshot):
        symbol = engine_symbol(_SYMBOLS[state], plain=options.ascii)
        badge += [(f" {symbol} {state.upper()} ", _BADGES[state]), (" ", "text")]
    if tier is not None:
        word = tier_theme(tier).word.upper()
        symbol = tier_symbol(tier, plain=options.ascii)
        badge += [(f" {symbol} {word} ", badge_style(tier)), (" ", "text")]
    return [*badge, (" ", "text")] if badge else []


def _message(snapshot: Snapshot) -> str:
    """How full what serves is, where the headline is about health."""
    text = clean(snapshot.demand.message, 120)
    return "" if text == headline(snapshot) else text


def _price(snapshot: Snapshot) -> Line:
    """What a request costs on the stack at this demand, in credits."""
    price = snapshot.pricing
    if _engines_only(snapshot) or snapshot.demand.tier is None:
        return []
    if price.everything_free:
        return [("requests cost nothing", "text")]
    if not known(price.effective_cost_tokens):
        return []
    return [(f"a request costs {fmt_count(price.effective_cost_tokens)} credits", "text")]


def _why(snapshot: Snapshot) -> Line:
    """The first reason that the headline does not tell already, where one needs attention."""
    demand = snapshot.demand
    found = [r for r in reasons(snapshot) if r.text.split(",")[0] not in demand.headline]
    found = [r for r in found if r.code != demand.source]  # the banner's own figure is ACTA's
    alarming = snapshot.health.state in ("down", "degraded", "starting")
    if not found or not (alarming or demand.tier in ("high", "surge", "saturated")):
        return []
    style = "warn" if found[0] in snapshot.health.reasons else "text"
    more = f"  +{len(found) - 1} more · w" if len(found) > 1 else ""
    return [(clean(found[0].text, 120), style), (more, "dim")]


def _headline_style(snapshot: Snapshot) -> str:
    """What is down or starting, else the badge's colour; the mode's where it is another step."""
    demand = snapshot.demand
    found = _HEALTH_STYLES.get(snapshot.health.state)
    by_tier = demand.mode == mode_of(demand.tier)
    return found or (tier_style(demand.tier) if by_tier else mode_style(demand.mode))


def _short(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    demand = snapshot.demand
    style = tier_style(demand.tier)
    figures: Line = []
    bound = len(_bound_sign(snapshot, options))
    if demand.tier is not None:
        figures = [
            ("demand " if width >= 48 else "", "dim"),
            (fit(_percent(snapshot, options), 5, "right"), style),
            ("  " + fit(_second_figure(snapshot, options), 5 + bound, "right"), style),
            (" tok/s" if _engines_only(snapshot) and width >= 48 else "", "dim"),
        ]
    if demand.stale:
        aged = old(demand.age_s, options)
        figures.append(("  " + (aged if width >= 60 else aged.partition(" ")[0]), "stale"))
    said, why = _headline_style(snapshot), _why(snapshot)
    badge, texts = _badge(snapshot, options), (*_with_shorter(snapshot), "")
    words = [[*badge, (texts[0], said), (" · ", "dim"), *why]] if why else []
    words += [[*badge, (text, said)] for text in texts]
    room = width - wide(figures) - 2
    return [sides(first_fit(words, room), figures, width), _bar(snapshot, width, thin=True)]


def _percent(snapshot: Snapshot, options: DrawOptions) -> str:
    """The demand, with its sign where it is a lower bound."""
    return fmt.demand_sign(snapshot.demand, options) + fmt_percent(snapshot.demand.utilization)


def _with_shorter(snapshot: Snapshot) -> tuple[str, ...]:
    """The headline, and shorter forms of it: the badge beside it has the word for the demand."""
    text = headline(snapshot)
    if _message(snapshot):  # it is about health
        return text, text.partition(" (since ")[0], text.partition(": ")[0]
    room = (text.partition(": ")[2] or text).rpartition(", ")[2]
    short = room.rpartition(" for ")[0] if " wait" in room else room
    return text, room, short, short.replace(" requests", "").replace(" request", "")


def _bar(snapshot: Snapshot, width: int, *, thin: bool = False) -> Line:
    """The demand bar; when full, after what the next instance would be."""
    demand = snapshot.demand
    if demand.tier is None:
        return [("─" * width, "frame")]
    if capacity.is_offered_above(snapshot):
        words: Line = [("next ", "dim"), (capacity.sentence_of(snapshot), "text"), ("  ", "text")]
        short: Line = [("next ", "dim"), (capacity.offer(snapshot), "text"), ("  ", "text")]
        left = first_fit([words, short, []], width - 16)
        return [*left, *meter(demand.utilization, width - wide(left), f"area.{demand.tier}")]
    if thin:
        return line_meter(demand.utilization, width, tier_style(demand.tier))
    return meter(demand.utilization, width, f"area.{demand.tier}")


def _tall(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    """Words at the left with the bar below, the two figures large at the right."""
    style = tier_style(snapshot.demand.tier)
    figures = _figures(snapshot, options, style)
    room = width - (wide(figures[0]) + 4 if figures else 0)
    badge, said = _badge(snapshot, options), _headline_style(snapshot)
    top = first_fit([[*badge, (text, said)] for text in _with_shorter(snapshot)], room)
    rows = [top, _detail(snapshot, room), _bar(snapshot, room)]
    if not figures:
        return rows
    return [[*exact(row, room), ("    ", "text"), *figures[i]] for i, row in enumerate(rows)]


def _detail(snapshot: Snapshot, room: int) -> Line:
    """What a request costs, where there is room, and why; at the start, what is going on."""
    if waiting(snapshot):
        return [("Asking the driver and the services.", "dim")]
    text = _message(snapshot)
    said: Line = [(text, "text" if snapshot.demand.tier else "dim")] if text else []
    full = joined([said, _price(snapshot), _why(snapshot)], " · ")
    return first_fit([full, joined([said, _why(snapshot)], " · ")], room)


def _figures(snapshot: Snapshot, options: DrawOptions, style: str) -> list[Line]:
    """Demand and multiplier (or tokens/s) three rows tall, always the same width."""
    demand = snapshot.demand
    if demand.tier is None or demand.utilization is None:
        return []
    share = big(f"{demand.utilization * 100:3.0f}".replace(" ", "  "), options)
    least = fmt.demand_sign(demand, options)
    second = big(_second_figure(snapshot), options)
    units = ("", "%", least) if options.ascii else ("", least, "%")
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
    """True on a box without the stack, where the multiplier has no price to multiply."""
    return presence(snapshot) != "stack"


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
        Place(LARGE, 1, (3,), "frame", contents=GPUS),
        Place(MEDIUM, 1, (2,), inset=1, contents=ALL),
        Place(SMALL, 0, (1, 2), inset=1, inset_from=30, contents=ALL),
    ),
    ticks=lambda snapshot: snapshot.demand.stale,
    opens="why",
)
