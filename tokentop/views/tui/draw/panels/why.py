"""Why the banner says what it says: every reason of health and of demand, the first one first."""

from collections.abc import Sequence

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import DASH, approx, clean, fit
from tokentop.domain.verdict.values import Pool, Reason
from tokentop.views.palette import mode_style, tier_style, tier_theme
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, window, wrapped
from tokentop.views.tui.draw.panel import Panel

_HEALTH = {
    "ok": ("ok", "active"),
    "starting": ("starting", "warn"),
    "degraded": ("degraded", "warn"),
    "down": ("down", "error"),
    "unknown": ("unknown", "dim"),
}
_LABEL = 18  # cells of a reason's code


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The page in exactly `height` lines of `width` cells, from row `options.offset` on."""
    return window(page(snapshot, width), width, height, options.offset)


def page(snapshot: Snapshot, width: int) -> list[Line]:
    """All rows, whatever the height."""
    demand = snapshot.demand
    word, style = _HEALTH[snapshot.health.state]
    tier = tier_theme(demand.tier).word if demand.tier else "unknown"
    return [
        *_headed("health", word, style, "Does what should serve, serve?"),
        *_listed(snapshot.health.reasons, width, "Everything that counts serves."),
        [],
        *_headed("demand", tier, tier_style(demand.tier), "How full is what serves?"),
        *_listed(demand.reasons, width, "Nothing is known to wait or to be full."),
        *(row for pool in demand.pools for row in _pool(pool)),
    ]


def _headed(name: str, word: str, style: str, question: str) -> list[Line]:
    return [[(fit(name, 8), "title"), (fit(word, 10), style), (f"  {question}", "dim")], []]


def _listed(reasons: Sequence[Reason], width: int, otherwise: str) -> list[Line]:
    if not reasons:
        return [[("  " + otherwise, "dim")]]
    return [row for reason in reasons for row in _reason(reason, width)]


def _reason(reason: Reason, width: int) -> list[Line]:
    """The code that scripts know it by, and the sentence, wrapped beside it."""
    beside = width >= 3 * _LABEL
    room = max(12, width - (_LABEL + 2 if beside else 2))
    found = wrapped(clean(reason.text, 300), room, 4)
    if not beside:
        return [[("  " + row, "text")] for row in found]
    codes = [reason.code, *[""] * (len(found) - 1)]
    rows = zip(codes, found, strict=True)
    return [[("  " + fit(code, _LABEL), "dim"), (row, "text")] for code, row in rows]


def _pool(pool: Pool) -> list[Line]:
    """One model: its tier and what that follows from."""
    tier = tier_theme(pool.tier).word if pool.tier else pool.health
    style = tier_style(pool.tier) if pool.tier else mode_style(None)
    bound = "≥" if pool.at_least else ""
    slots = approx(_count(pool.max_slots), pool.slots_estimated)
    kv_cache = fmt.share(pool.kv_cache, about=pool.kv_estimated)
    figures = [
        f"{fmt.share(pool.utilization)} full" if pool.utilization is not None else "",
        f"{_count(pool.active)}/{slots} active" if pool.active is not None else "",
        f"{pool.queued} queued" if pool.queued else "",
        f"KV cache {kv_cache}" if pool.kv_cache is not None else "",
    ]
    words = " · ".join(filter(None, figures))
    return [
        [],
        [("  " + fit(clean(pool.model, 80), 32), "text"), (fit(tier, 10), style)],
        [(f"    {bound}{words}" if words else "    its load is unknown", "dim")],
    ]


def _count(value: int | None) -> str:
    return DASH if value is None else str(value)


PANEL = Panel("why", lines, "why")
