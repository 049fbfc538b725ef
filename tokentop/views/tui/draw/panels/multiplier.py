"""The multiplier gauge: the S-curve in braille with the present point, or one line of it."""

from functools import lru_cache

from tokentop.domain.economy.pricing import multiplier
from tokentop.domain.policy import PricingPolicy
from tokentop.domain.snapshot import Pricing, Snapshot
from tokentop.domain.text import fit, fmt_multiplier, fmt_percent, known
from tokentop.views.palette import tier_style
from tokentop.views.tui.draw.kit.glyphs import old
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, dimmed
from tokentop.views.tui.draw.layout import LARGE, MEDIUM, SMALL, STACK, Place, SharedRow
from tokentop.views.tui.draw.panel import Panel

_LABEL = 6  # cells of the labels left of the curve: "×6.00 "
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The gauge in exactly `height` lines of `width` cells."""
    if height < 5 or width < 24:
        drawn = [_one_line(snapshot, width, options)]
    else:
        drawn = _curve(snapshot, width, height, options)
    body = block(drawn, width, height)
    return dimmed(body) if snapshot.demand.stale else body


def summary(snapshot: Snapshot, options: DrawOptions) -> Line:
    """The age where it is stale; the figure itself stands in the banner."""
    if snapshot.demand.stale:
        return [(old(snapshot.demand.age_s, options), "stale")]
    return []


def _share(pricing: Pricing) -> float | None:
    """Where the multiplier stands between floor and ceiling, 0-1."""
    return _share_of(pricing.multiplier, pricing.floor, pricing.ceiling)


def _share_of(value: float | None, floor: float, ceiling: float) -> float | None:
    span = ceiling - floor
    if not known(value) or not known(span) or span <= 0:
        return None
    return max(0.0, min(1.0, (value - floor) / span))


def _one_line(snapshot: Snapshot, width: int, options: DrawOptions) -> Line:
    """`multiplier ×1.00 ━━━━━●──── ×6.00`, without the figure, which stands in the banner."""
    pricing, style = snapshot.pricing, tier_style(snapshot.demand.tier)
    left: Line = [
        ("multiplier " if width >= 56 else "cost ", "dim"),
        (fmt_multiplier(pricing.floor) + " ", "dim"),
    ]
    right: Line = [(" " + fmt_multiplier(pricing.ceiling), "dim")]
    if snapshot.demand.stale and options.summary_hidden:  # the age instead of the ceiling
        right = [(f"  {old(snapshot.demand.age_s, options)}", "stale")]
    room = width - sum(len(text) for text, _ in (*left, *right))
    if room < 5:
        return [("multiplier ", "dim"), (fmt_multiplier(pricing.multiplier), style)]
    return [*left, *_scale(_share(pricing), room, style), *right]


def _scale(share: float | None, width: int, style: str) -> Line:
    if share is None:
        return [("─" * width, "dim")]
    place = round(share * (width - 1))
    return [("━" * place, style), ("●", style), ("─" * (width - place - 1), "dim")]


def _curve(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    pricing, demand = snapshot.pricing, snapshot.demand
    columns, rows = width - _LABEL, height - 1
    x, y = demand.utilization, _share(pricing)
    here = (round(x * (columns - 1)), _row_of(y, rows)) if known(x) and y is not None else None
    shape = pricing.floor, pricing.ceiling, pricing.steepness, pricing.midpoint
    cells = _dotted(PricingPolicy(*shape), columns, rows, options.ascii)
    style = tier_style(demand.tier)
    drawn = [
        _labelled(row, rows, pricing, _painted(cells[row], row, here, style)) for row in range(rows)
    ]
    return [*drawn, _axis(x, columns, style)]


def _row_of(share: float, rows: int) -> int:
    """The row in which the curve has its dot at that height."""
    return (rows * 4 - 1 - round(share * (rows * 4 - 1))) // 4


def _labelled(row: int, rows: int, pricing: Pricing, cells: Line) -> Line:
    label = {0: fmt_multiplier(pricing.ceiling), rows - 1: fmt_multiplier(pricing.floor)}.get(
        row, ""
    )
    return [(fit(label, _LABEL - 1, "right") + " ", "dim"), *cells]


def _painted(cells: str, row: int, here: tuple[int, int] | None, style: str) -> Line:
    """One row of the curve: in the tier's colour up to the present point, grey beyond it."""
    if here is None:
        return [(cells, "dim")]
    x, y = here
    if row == y:
        return [(cells[:x], style), ("●", style), (cells[x + 1 :], "dim")]
    return [(cells[:x], style), (cells[x:], "dim")]


@lru_cache(8)  # a policy has one curve, and a screen one size
def _dotted(policy: PricingPolicy, columns: int, rows: int, plain: bool) -> tuple[str, ...]:
    """The curve over 0-100 % as `rows` strings of `columns` cells; `plain` is in ASCII."""
    across, down = (1, 1) if plain else (2, 4)
    grid = [[0] * columns for _ in range(rows)]
    heights = [
        _level(policy, i / (columns * across - 1), rows * down) for i in range(columns * across)
    ]
    for i, level in enumerate(heights):
        low = heights[i - 1] if i else level
        for dot in range(min(low + (level > low), level), level + 1):
            y = rows * down - 1 - dot
            grid[y // down][i // across] |= _DOTS[i % across][y % down]
    return tuple(
        "".join(("*" if plain else chr(0x2800 + bits)) if bits else " " for bits in row)
        for row in grid
    )


def _level(policy: PricingPolicy, x: float, steps: int) -> int:
    share = _share_of(multiplier(x, policy), policy.floor, policy.ceiling)
    return round((share or 0.0) * (steps - 1))


def _axis(x: float | None, columns: int, style: str) -> Line:
    """The demand axis: 0, 100, and the present value under its point."""
    if not known(x):
        return [(" " * _LABEL + "0%" + fit("100%", columns - 2, "right"), "dim")]
    word = fmt_percent(x)
    place = max(0, min(columns - len(word), round(x * (columns - 1)) - len(word) // 2))
    rest = columns - place - len(word)
    left = "0%" if place >= 4 else ""
    right = "100%" if rest >= 5 else ""
    return [
        (" " * _LABEL + fit(left, place), "dim"),
        (word, style),
        (fit(right, rest, "right"), "dim"),
    ]


PANEL = Panel(
    "multiplier",
    lines,
    "cost multiplier",
    summary,
    places=(
        SharedRow(LARGE, "slots", 2, STACK),
        Place(MEDIUM, 4, (1, 6, 8, 10), "rule", 1, flex=True, grow_last=True, contents=STACK),
        Place(SMALL, 4, (1,), inset=1, inset_from=30, contents=STACK),
    ),
    ticks=lambda snapshot: snapshot.demand.stale,
    opens="history",
)
