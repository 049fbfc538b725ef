"""Snapshot -> one line, with its own colour codes: importing Rich would cost a third of the
one-line view's time.
"""

from collections.abc import Callable
from typing import NamedTuple

from tokentop.domain import text
from tokentop.domain.presence import Presence, presence
from tokentop.domain.snapshot import Pricing, Snapshot
from tokentop.domain.verdict import check
from tokentop.views import figures
from tokentop.views.plain import ascii_only
from tokentop.views.sgr import sgr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokentop.views.template import Slot


class Paint(NamedTuple):
    """How the line may be drawn: `colors` is 0, 16 or 24; `width` cuts it to that many cells."""

    colors: int = 0
    ascii: bool = False
    theme: str = "dark"
    width: int | None = None


PLAIN = Paint()


class Piece(NamedTuple):
    """A run of characters; `tone` is `label` (dim), `value` (plain), `tier` (the one accent)
    or `alarm` (the accent, bold).
    """

    text: str
    tone: str = "value"


def line(
    snapshot: Snapshot, *, slots: "tuple[Slot, ...] | None" = None, paint: Paint = PLAIN
) -> str:
    """Return the default line, or the one of a parsed template, without trailing spaces."""
    if slots is not None:
        from tokentop.views import template  # not imported for the default line

        filled = template.fill(slots, snapshot, "-" if paint.ascii else text.DASH)
        return _cut_text(ascii_only(filled) if paint.ascii else filled, paint).rstrip()
    pieces = _joined(_groups(snapshot))
    if paint.ascii:
        pieces = [Piece(ascii_only(piece.text), piece.tone) for piece in pieces]
    return "".join(_painted(piece, snapshot, paint) for piece in _cut(pieces, paint))


def _groups(snapshot: Snapshot) -> list[list[Piece]]:
    """Return the line's figures in order; each is a group of pieces between two rules."""
    groups = _BY_PRESENCE[presence(snapshot)](snapshot)
    if snapshot.demo:
        groups.insert(0, [Piece("DEMO")])
    if alarm := check.alarm(snapshot):
        groups.insert(0, [Piece(alarm, "alarm")])  # first: a narrow line is cut at its end
    stale, age = figures.stale_age(snapshot)
    if stale:
        groups.append([Piece("stale" if age is None else f"stale {text.fmt_age(age)}", "label")])
    return groups


def _of_stack(snapshot: Snapshot) -> list[list[Piece]]:
    return [
        *_of_gpus(snapshot),
        _labelled("Q", _count(snapshot.llm.queued)),
        [Piece(text.fmt_multiplier(snapshot.pricing.multiplier), "tier")],
        [Piece(_cost(snapshot))],
        _labelled("cloud", _count(snapshot.cloud.active)),
    ]


def _of_engines(snapshot: Snapshot) -> list[list[Piece]]:
    """`64/64 +41 │ 1976 tok/s │ KV 92% │ TTFT 0.6s │ GPU 95% │ $0.33/M`; no price where none is."""
    llm, told = snapshot.llm, snapshot.throughput
    speed = told.generation_tokens_per_s
    bound = "≥" if any(engine.rate_at_least for engine in snapshot.engines) else ""
    groups = [
        [Piece(_slots(llm.active, llm.max_slots, llm.queued), "tier")],
        [Piece(f"{text.DASH if speed is None else f'{bound}{speed:.0f}'} tok/s")],
        _labelled("KV", text.DASH if llm.kv_cache is None else text.fmt_percent(llm.kv_cache)),
        _labelled("TTFT", _seconds(told.ttft_s)),
        _labelled("GPU", _percent(figures.gpu_util(snapshot))),
    ]
    if snapshot.pricing.usd_per_mtok_reserved is not None:
        groups.append([Piece(f"{_price(snapshot.pricing)}/M")])
    return groups


def _price(pricing: Pricing) -> str:
    """USD per million tokens over all time, with the sign of the side the truth lies on."""
    bound = pricing.bounds.usd_per_mtok_reserved
    return (text.BOUND_SIGNS[bound] if bound else "") + text.fmt_usd(pricing.usd_per_mtok_reserved)


def _of_gpus(snapshot: Snapshot) -> list[list[Piece]]:
    return [
        _labelled("GPU", _percent(figures.gpu_util(snapshot))),
        _labelled("VRAM", _vram(snapshot)),
    ]


def _of_nothing(snapshot: Snapshot) -> list[list[Piece]]:
    return [*_of_gpus(snapshot), [Piece("no engine")]]


_BY_PRESENCE: dict[Presence, Callable[[Snapshot], list[list[Piece]]]] = {
    "stack": _of_stack,
    "engines": _of_engines,
    "gpus": _of_gpus,
    "nothing": _of_nothing,
}


def _slots(active: int | None, slots: int | None, queued: int | None) -> str:
    waiting = f" +{queued}" if queued else ""
    return f"{_count(active)}/{_count(slots)}{waiting}"


def _seconds(value: float | None) -> str:
    if value is None:
        return text.DASH
    return f"{value:.2f}s" if value < 0.1 else f"{value:.1f}s"


def _labelled(label: str, value: str) -> list[Piece]:
    return [Piece(f"{label} ", "label"), Piece(value)]


def _percent(value: float | None) -> str:
    return text.DASH if value is None else text.fmt_percent(value / 100)


def _count(value: int | None) -> str:
    return text.DASH if value is None else str(value)


def _vram(snapshot: Snapshot) -> str:
    pair = figures.vram(snapshot)
    return text.DASH if pair is None else f"{pair[0]:.1f}/{pair[1]:.1f}G"


def _cost(snapshot: Snapshot) -> str:
    value = figures.effective_cost(snapshot)
    if value is None or isinstance(value, str):
        return value or text.DASH
    return f"{value:g} cr"


def _joined(groups: list[list[Piece]]) -> list[Piece]:
    rule = Piece(" │ ", "label")
    return [piece for n, group in enumerate(groups) for piece in ([rule, *group] if n else group)]


def _cut(pieces: list[Piece], paint: Paint) -> list[Piece]:
    if paint.width is None:
        return pieces
    kept: list[Piece] = []
    room = paint.width
    for piece in pieces:
        if room <= 0:
            break
        kept.append(piece._replace(text=_cut_text(piece.text, paint._replace(width=room))))
        room -= text.cell_width(piece.text)
    return kept


def _cut_text(string: str, paint: Paint) -> str:
    if paint.width is None or text.cell_width(string) <= paint.width:
        return string
    return text.fit(string, paint.width, ascii=paint.ascii)


def _painted(piece: Piece, snapshot: Snapshot, paint: Paint) -> str:
    tier = snapshot.demand.tier
    if piece.tone == "alarm":
        tier = "saturated" if check.exit_code(snapshot) == check.CRITICAL else "surge"
    code = sgr(piece.tone, tier, paint.colors, paint.theme)
    return f"\x1b[{code}m{piece.text}\x1b[0m" if code else piece.text
