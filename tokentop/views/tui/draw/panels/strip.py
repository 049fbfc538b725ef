"""The compact strip: the economy in six lines, for a small pane of a terminal multiplexer."""

from tokentop.domain.presence import presence
from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, sides
from tokentop.views.tui.draw.layout import COMPACT, SIZES, Place
from tokentop.views.tui.draw.panel import Panel
from tokentop.views.tui.draw.panels import banner, metrics, tokens
from tokentop.views.tui.draw.panels import multiplier as gauge
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.slots import panel as slots


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The first `height` of: banner, slots, multiplier and metrics (or tokens), the GPUs' sum."""
    if presence(snapshot) == "engines":
        middle = tokens.lines(snapshot, width, 2, options)
    else:
        middle = [
            *gauge.lines(snapshot, width, 1, options),
            *metrics.lines(snapshot, width, 1, options),
        ]
    drawn = [
        *banner.lines(snapshot, width, 2, options),
        *slots.lines(snapshot, width, 1, options),
        *middle,
        sides([("GPU pool", "dim")], gpus.summary(snapshot, options), width),
    ]
    return block(drawn, width, height)


PANEL = Panel(
    "strip",
    lines,
    places=(Place(SIZES, 0, (1,), inset=1, flex=True, contents=COMPACT, inset_from=20),),
    ticks=lambda snapshot: slots.PANEL.ticks(snapshot) or metrics.PANEL.ticks(snapshot),
)
