"""The capacity panel: how near the next instance is, what it would be, when a surplus one goes."""

from tokentop.domain.presence import presence
from tokentop.domain.snapshot import Capacity, NextInstance, Snapshot
from tokentop.domain.text import DASH, clean, fit, fmt_count, fmt_duration, fmt_percent
from tokentop.views.palette import tier_style
from tokentop.views.tui.draw.kit.format import per_hour
from tokentop.views.tui.draw.kit.glyphs import age, meter
from tokentop.views.tui.draw.kit.line import (
    DrawOptions,
    Line,
    block,
    dimmed,
    first_fit,
    joined,
    sentence,
    sides,
)
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.kit.trend import DEMAND, trend_line
from tokentop.views.tui.draw.layout import LARGE, MEDIUM, NO_STACK, SMALL, STACK, Place, SharedRow
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The panel in exactly `height` lines of `width` cells; grey while no more is needed."""
    capacity = snapshot.capacity
    if capacity.progress is None:
        return sentence("No demand known yet; nothing to scale.", width, height)
    if height <= 2:
        drawn = _short(snapshot, width, options)
    else:
        facts = _facts(snapshot, options)
        lately = [trend_line(DEMAND, width, options, 6)] if height >= len(facts) + 2 else []
        if height >= 8:
            facts = [line for fact in facts for line in (fact, [])]
        drawn = [progress(snapshot, width), *lately, *facts]
    body = block(drawn, width, height)
    return dimmed(body) if capacity.stale else body


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """The resource threshold at which the next instance comes; the age where it is stale."""
    capacity = snapshot.capacity
    if capacity.progress is None:
        return []
    if capacity.stale:
        return [(f"stale · {age(capacity.age_s, options)}", "stale")]
    return [("scale-up at ", "dim"), (fmt_percent(capacity.threshold), "text")]


def remaining(capacity: Capacity, options: DrawOptions) -> float | None:
    """Seconds until a surplus instance goes, as of now."""
    left = capacity.scale_down_in_s
    return None if left is None else max(0.0, left - options.elapsed_s)


def accent(snapshot: Snapshot) -> str:
    """The bar's colour: the tier's while more capacity is needed, else neutral."""
    if not snapshot.capacity.needed:
        return "bar"
    return tier_style(snapshot.demand.tier).replace("tier.", "area.")


def progress(snapshot: Snapshot, width: int) -> Line:
    """The bar towards the next instance with its per cent."""
    share = snapshot.capacity.progress
    bar = meter(share, max(0, width - 5), accent(snapshot))
    return [*bar, (fit(fmt_percent(share), 5, "right"), "bright")]


def is_offered_above(snapshot: Snapshot) -> bool:
    """True where the banner says what the next instance is: when the stack is full."""
    return snapshot.demand.mode == "saturated" and presence(snapshot) == "stack"


def _facts(snapshot: Snapshot, options: DrawOptions) -> list[Line]:
    """The next instance, its price, and whether it is needed or when a surplus one goes."""
    rows = [] if is_offered_above(snapshot) else _offer(snapshot)
    down = remaining(snapshot.capacity, options)
    if down is not None:
        rows.append(
            [
                *_fact("down", f"in {fmt_duration(down)}", "bright"),
                ("  surplus instance goes", "dim"),
            ]
        )
    else:
        rows.append(_fact("state", *_need(snapshot)))
    return rows


def _offer(snapshot: Snapshot) -> list[Line]:
    """The next instance and its price."""
    nxt = snapshot.capacity.next_instance
    price: Line = [*_fact("price", _price(nxt), "bright"), *_credits(snapshot, "  ")]
    return [_fact("next", offer(snapshot), "text"), price]


def _need(snapshot: Snapshot) -> tuple[str, str]:
    """Whether more is needed, and the style of these words."""
    if snapshot.capacity.needed:
        return "more is needed", tier_style(snapshot.demand.tier)
    return "enough for now", "dim"


def _fact(label: str, value: str, style: str) -> Line:
    return [(fit(label, 7), "dim"), (value, style)]


def _short(snapshot: Snapshot, width: int, options: DrawOptions) -> list[Line]:
    """One line: what is next, its price, and the bar or the countdown at the right."""
    capacity, nxt = snapshot.capacity, snapshot.capacity.next_instance
    price: Line = [(_price(nxt), "bright")]
    tokens = _credits(snapshot)
    what: Line = [("next ", "dim"), (offer(snapshot), "text")]
    down = remaining(capacity, options)
    room = min(28, width // 3)
    right = progress(snapshot, room) if width >= 30 else []
    if down is not None:
        right = [("scale down in ", "dim"), (fit(fmt_duration(down), 5, "right"), "bright")]
    if capacity.stale and options.summary_hidden:
        right.append((f" {age(capacity.age_s, options)}", "stale"))
    choices = [joined([what, price, tokens]), joined([what, price]), what, []]
    if is_offered_above(snapshot):
        choices = [[_need(snapshot)], []]
    return [sides(first_fit(choices, width - wide(right) - 2), right, width)]


def offer(snapshot: Snapshot) -> str:
    """The next instance in words: `RTX 4090 · US-East`, or what the default stands for."""
    nxt = snapshot.capacity.next_instance
    if nxt.source == "default":
        return "a cloud GPU"
    words = [clean(part, 24) for part in (nxt.gpu, nxt.region) if part]
    return " · ".join(words) or DASH


def _credits(snapshot: Snapshot, before: str = "") -> Line:
    """The price in the stack's credits, where they mean something."""
    if snapshot.pricing.base_cost_tokens is None:
        return []
    return [(f"{before}≈ {fmt_count(snapshot.capacity.next_instance.tokens_per_hour)} cr/h", "dim")]


def _price(nxt: NextInstance) -> str:
    """USD per hour; about so much where it is the default rate and no offer."""
    about = "≈" if nxt.source == "default" and nxt.usd_per_hour is not None else ""
    return about + per_hour(nxt.usd_per_hour)


def sentence_of(snapshot: Snapshot) -> str:
    """The next instance for the banner: `RTX 4090 · US-East · $0.42/h ≈ 2.1k cr/h`."""
    nxt = snapshot.capacity.next_instance
    tokens = DASH if nxt.tokens_per_hour is None else f"{fmt_count(nxt.tokens_per_hour)} cr/h"
    return f"{offer(snapshot)} · {_price(nxt)} ≈ {tokens}"


def _places(inputs: LayoutInputs) -> tuple[Place | SharedRow, ...]:
    """Beside the stack's figures; elsewhere only where a cloud that rents GPUs is configured."""
    rented = (
        Place(LARGE, 8, (6,), "frame", contents=NO_STACK),
        Place(MEDIUM, 8, (1, 2), "rule", 1, contents=NO_STACK),
    )
    return (
        SharedRow(LARGE, "metrics", 5, STACK),
        Place(MEDIUM, 8, (1, 2), "rule", 1, contents=STACK),
        Place(SMALL, 8, (1,), inset=1, inset_from=30, contents=STACK),
        *(rented if inputs.rents else ()),
    )


PANEL = Panel(
    "capacity",
    lines,
    "capacity",
    summary,
    places=_places,
    ticks=lambda snapshot: snapshot.capacity.scale_down_in_s is not None or snapshot.capacity.stale,
)
