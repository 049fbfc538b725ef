"""The last row of a replay: where it stands, how fast, and the tiers along the recording."""

from itertools import groupby

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean
from tokentop.domain.timeline import cells
from tokentop.views.palette import tier_style
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block
from tokentop.views.tui.draw.panel import Panel

LEFT = 1  # cells before the track of tiers


def lines(_snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The track, a mark at the moment that is shown, and the speed."""
    timeline = options.timeline
    if timeline is None:
        return block([], width, height)
    if options.jump is not None:
        typed: Line = [(" go to ", "key"), (clean(options.jump, 40), "bright"), ("▏", "key")]
        hint = "  12:03, 11-21 12:03:20, +5m, -90s · enter goes there · esc cancels"
        return block([[*typed, (hint, "dim")]], width, height)
    speed = f"×{timeline.speed:g}" if timeline.playing else "paused"
    room = track_width(width)
    mark = min(room - 1, int(timeline.fraction * room)) if room else 0
    tiers = cells(timeline.tiers, room) if room else []
    track = [("┃", "bright") if n == mark else ("━", _style(tier)) for n, tier in enumerate(tiers)]
    runs: Line = [
        ("".join(text for text, _ in run), style) for style, run in groupby(track, lambda c: c[1])
    ]
    return block([[(" " * LEFT, "text"), *runs, (f" {speed:>6}", "key")]], width, height)


def track_width(width: int) -> int:
    """Cells of the track in a row of `width`."""
    return max(0, width - LEFT - 8)


def fraction_at(x: int, width: int) -> float | None:
    """How much of the recording lies before cell `x` of the row; None beside the track."""
    room = track_width(width)
    return (x - LEFT) / room if 0 <= x - LEFT < room else None


def _style(tier: str | None) -> str:
    return "track" if tier is None else tier_style(tier)


PANEL = Panel("timeline", lines)
