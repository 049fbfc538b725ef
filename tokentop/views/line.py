"""Snapshot -> one line, with its own colour codes: importing Rich would cost a third of the
one-line view's time.
"""

from collections.abc import Callable

from tokentop.domain import text
from tokentop.domain.presence import Presence, presence
from tokentop.domain.snapshot import Pricing, Snapshot
from tokentop.domain.snapshot_engines import rates_at_least
from tokentop.domain.verdict import check
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.views import figures
from tokentop.views.plain import ascii_only
from tokentop.views.sgr import sgr

if TYPE_CHECKING:
    from tokentop.views.template import Slot


class Paint(NamedTuple):
    """How the line may be drawn: `colors` is 0, 16 or 24.

    `width` leaves out whole figures until the line takes at most that many cells; an alarm stays.
    `cut_at` cuts what is still longer, for a terminal in which a wrapped line cannot be rewritten.
    """

    colors: int = 0
    ascii: bool = False
    theme: str = "dark"
    width: int | None = None
    cut_at: int | None = None


PLAIN = Paint()


class Piece(NamedTuple):
    """A run of characters; `tone` is `label` (dim), `value` (plain), `tier` (the one accent)
    or `alarm` (the accent, bold).
    """

    text: str
    tone: str = "value"


class Group(NamedTuple):
    """The pieces of one figure between two rules; where room is short the highest `rank` goes."""

    rank: int
    pieces: list[Piece]


ALARM, BADGE = 0, 1  # an alarm never goes; what says that data are old or simulated goes last


def line(
    snapshot: Snapshot, *, slots: "tuple[Slot, ...] | None" = None, paint: Paint = PLAIN
) -> str:
    """Return the default line, or the one of a parsed template, without trailing spaces."""
    if slots is not None:
        from tokentop.views import template  # not imported for the default line

        unknown = "-" if paint.ascii else text.DASH
        filled = template.fill(slots, snapshot, unknown, paint.width)
        return _cut_text(ascii_only(filled) if paint.ascii else filled, paint).rstrip()
    pieces = _joined(_fitting(_groups(snapshot), paint.width))
    if paint.ascii:
        pieces = [Piece(ascii_only(piece.text), piece.tone) for piece in pieces]
    return "".join(_painted(piece, snapshot, paint) for piece in _cut(pieces, paint))


def _groups(snapshot: Snapshot) -> list[Group]:
    """Return the line's figures in the order in which they stand."""
    groups = _BY_PRESENCE[presence(snapshot)](snapshot)
    if snapshot.demo:
        groups.insert(0, Group(BADGE, [Piece("DEMO")]))
    if alarm := check.alarm(snapshot):
        groups = [group for group in groups if not alarm.endswith(f" {_text(group)}")]
        groups.insert(0, Group(ALARM, [Piece(alarm, "alarm")]))
    stale, age = figures.stale_age(snapshot)
    if stale:
        word = "stale" if age is None else f"stale {text.fmt_age(age)}"
        groups.append(Group(BADGE, [Piece(word, "label")]))
    return groups


def _text(group: Group) -> str:
    return "".join(piece.text for piece in group.pieces)


def _fitting(groups: list[Group], width: int | None) -> list[Group]:
    """The groups that fit into `width` cells, the least important left out first, each whole."""
    kept = list(groups)
    while width is not None and kept and _width(kept) > width:
        least = max(kept, key=lambda group: group.rank)
        if least.rank == ALARM:
            break
        kept.remove(least)
    return kept


def _width(groups: list[Group]) -> int:
    return sum(text.cell_width(piece.text) for piece in _joined(groups))


def _of_stack(snapshot: Snapshot) -> list[Group]:
    cost = [Piece(_cost(snapshot))]
    return [
        *_of_gpus(snapshot),
        Group(3, _labelled("Q", _count(snapshot.llm.queued))),
        Group(4, [Piece(text.fmt_multiplier(snapshot.pricing.multiplier), "tier")]),
        Group(6, cost),
        Group(7, _labelled("cloud", _count(snapshot.cloud.active))),
    ]


def _of_engines(snapshot: Snapshot) -> list[Group]:
    """`64/64 +41 │ 1976 tok/s │ KV 92% │ TTFT 0.6s │ GPU 95% │ $0.33/M`; no price where none is."""
    llm, told = snapshot.llm, snapshot.throughput
    speed = told.generation_tokens_per_s
    bound = "≥" if rates_at_least(snapshot.engines) else ""
    kv_cache = text.approx(text.fmt_percent(llm.kv_cache), llm.kv_estimated)
    groups = [
        Group(2, [Piece(_slots(snapshot), "tier")]),
        Group(3, [Piece(f"{text.DASH if speed is None else f'{bound}{speed:.0f}'} tok/s")]),
        Group(4, _labelled("KV", kv_cache)),
        Group(5, _labelled("TTFT", _seconds(told.ttft_s))),
        Group(7, _labelled("GPU", _percent(figures.gpu_util(snapshot)))),
    ]
    if snapshot.pricing.usd_per_mtok_reserved is not None:
        groups.append(Group(6, [Piece(f"{_price(snapshot.pricing)}/M")]))
    return groups


def _price(pricing: Pricing) -> str:
    """USD per million tokens over all time, with the sign of the side the truth lies on."""
    bound = pricing.bounds.usd_per_mtok_reserved
    return (text.BOUND_SIGNS[bound] if bound else "") + text.fmt_usd(pricing.usd_per_mtok_reserved)


def _of_gpus(snapshot: Snapshot) -> list[Group]:
    return [
        Group(2, _labelled("GPU", _percent(figures.gpu_util(snapshot)))),
        Group(5, _labelled("VRAM", _vram(snapshot))),
    ]


def _of_nothing(snapshot: Snapshot) -> list[Group]:
    """No engine serves here, whether there are GPUs or not."""
    return [*_of_gpus(snapshot), Group(3, [Piece("no engine")])]


_BY_PRESENCE: dict[Presence, Callable[[Snapshot], list[Group]]] = {
    "stack": _of_stack,
    "engines": _of_engines,
    "gpus": _of_nothing,
    "nothing": _of_nothing,
}


def _slots(snapshot: Snapshot) -> str:
    """`64/64 +41`; `71 active +41` where some of them run in slots of unknown number."""
    llm = snapshot.llm
    waiting = f" +{llm.queued}" if llm.queued else ""
    if any(e.active and e.max_slots is None and not e.router for e in snapshot.engines):
        return f"{_count(llm.active)} active{waiting}"
    slots = text.approx(_count(llm.max_slots), llm.slots_estimated)
    return f"{_count(llm.active)}/{slots}{waiting}"


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


def _joined(groups: list[Group]) -> list[Piece]:
    rule = Piece(" │ ", "label")
    drawn = [group.pieces for group in groups]
    return [piece for n, each in enumerate(drawn) for piece in ([rule, *each] if n else each)]


def _cut(pieces: list[Piece], paint: Paint) -> list[Piece]:
    if paint.cut_at is None:
        return pieces
    kept: list[Piece] = []
    room = paint.cut_at
    for piece in pieces:
        if room <= 0:
            break
        kept.append(piece._replace(text=_cut_text(piece.text, paint._replace(cut_at=room))))
        room -= text.cell_width(piece.text)
    return kept


def _cut_text(string: str, paint: Paint) -> str:
    if paint.cut_at is None or text.cell_width(string) <= paint.cut_at:
        return string
    return text.fit(string, paint.cut_at, ascii=paint.ascii)


def _painted(piece: Piece, snapshot: Snapshot, paint: Paint) -> str:
    tier = snapshot.demand.tier
    if piece.tone == "alarm":
        tier = "saturated" if check.exit_code(snapshot) == check.CRITICAL else "surge"
    code = sgr(piece.tone, tier, paint.colors, paint.theme)
    return f"\x1b[{code}m{piece.text}\x1b[0m" if code else piece.text
