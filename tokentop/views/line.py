"""Snapshot -> one line, with its own colour codes: importing Rich would cost a third of the
one-line view's time.
"""

from typing import NamedTuple

from tokentop.domain import text
from tokentop.domain.snapshot import Snapshot
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
    """A run of characters; `tone` is `label` (dim), `value` (plain) or `tier` (the one accent)."""

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
    groups = [
        _labelled("GPU", _percent(figures.gpu_util(snapshot))),
        _labelled("VRAM", _vram(snapshot)),
        _labelled("Q", _count(snapshot.llm.queued)),
        [Piece(text.fmt_multiplier(snapshot.pricing.multiplier), "tier")],
        [Piece(_cost(snapshot))],
        _labelled("cloud", _count(snapshot.cloud.active)),
    ]
    if snapshot.demo:
        groups.insert(0, [Piece("DEMO")])
    if snapshot.demand.tier == "saturated":
        groups.append([Piece("FULL", "tier")])
    stale, age = figures.stale_age(snapshot)
    if stale:
        groups.append([Piece("stale" if age is None else f"stale {text.fmt_age(age)}", "label")])
    return groups


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
    value = figures.cost(snapshot)
    if value is None or isinstance(value, str):
        return value or text.DASH
    return f"{value:g} tok"


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
    code = sgr(piece.tone, snapshot.demand.tier, paint.colors, paint.theme)
    return f"\x1b[{code}m{piece.text}\x1b[0m" if code else piece.text
