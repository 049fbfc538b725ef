"""Every panel by name: its title, its lines, its summary, and how to draw it at its place."""

from collections.abc import Callable
from typing import NamedTuple

from tokentop.domain.snapshot import Snapshot
from tokentop.views.tui.draw.kit.frame import framed, rule
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, plain
from tokentop.views.tui.draw.layout import Placement
from tokentop.views.tui.draw.panels import (
    banner,
    capacity,
    cloud,
    economy,
    footer,
    header,
    metrics,
    services,
    strip,
    tokens,
    welcome,
)
from tokentop.views.tui.draw.panels import multiplier as gauge
from tokentop.views.tui.draw.panels.engines import table as engines
from tokentop.views.tui.draw.panels.gpus import panel as gpus
from tokentop.views.tui.draw.panels.history import panel as history
from tokentop.views.tui.draw.panels.slots import panel as slots

Lines = Callable[[Snapshot, int, int, DrawOptions], list[Line]]
Heads = Callable[[Snapshot, int, int, DrawOptions], Line]
PollResult = Callable[[Snapshot, DrawOptions], Line]


def _nothing(_snapshot: Snapshot, _options: DrawOptions) -> Line:
    return []


def _no_heads(_snapshot: Snapshot, _width: int, _height: int, _options: DrawOptions) -> Line:
    return []


class Panel(NamedTuple):
    """One panel: `lines` draws its inside, `heads` its column headings, `summary` its figure."""

    lines: Lines
    title: Callable[[Snapshot, DrawOptions], str]
    summary: PollResult = _nothing
    heads: Heads = _no_heads
    border: Callable[[Snapshot], str] = lambda _: "frame"


def _titled(text: str) -> Callable[[Snapshot, DrawOptions], str]:
    return lambda _snapshot, _options: text


PANELS: dict[str, Panel] = {
    "header": Panel(header.lines, _titled("")),
    "banner": Panel(banner.lines, _titled("demand"), banner.summary, border=banner.border),
    "slots": Panel(slots.lines, _titled(slots.TITLE), slots.summary),
    "multiplier": Panel(gauge.lines, _titled(gauge.TITLE), gauge.summary),
    "gpus": Panel(gpus.lines, gpus.title, gpus.summary, gpus.heads),
    "history": Panel(history.lines, _titled(history.TITLE)),
    "metrics": Panel(metrics.lines, _titled(metrics.TITLE)),
    "capacity": Panel(capacity.lines, _titled(capacity.TITLE), capacity.summary),
    "cloud": Panel(cloud.lines, cloud.title, cloud.summary, cloud.heads),
    "economy": Panel(economy.lines, _titled("")),
    "tokens": Panel(tokens.lines, _titled(tokens.TITLE), tokens.summary),
    "engines": Panel(engines.lines, engines.title, engines.summary, engines.heads),
    "services": Panel(services.lines, services.title, services.summary),
    "strip": Panel(strip.lines, _titled("")),
    "welcome": Panel(welcome.lines, _titled("")),
    "footer": Panel(footer.lines, _titled("")),
}


def draw(
    snapshot: Snapshot, place: Placement, options: DrawOptions, lines: Lines | None = None
) -> list[Line]:
    """One panel with its frame or rule, exactly as large as its place.

    `lines` draws the inside instead of the panel's own (the app's plotext history does).
    """
    panel = PANELS[place.panel]
    inside = lines or panel.lines
    if place.border == "frame" and place.height >= 3 and place.width >= 8:
        drawn = _framed(panel, inside, snapshot, place, options)
    elif place.border == "rule" and place.height >= 2:
        drawn = _ruled(panel, inside, snapshot, place, options)
    else:
        bare = inside(snapshot, place.width, place.height, options._replace(summary_hidden=True))
        drawn = block(bare, place.width, place.height)
    return plain(drawn) if options.ascii else drawn


def _framed(
    panel: Panel, inside: Lines, snapshot: Snapshot, place: Placement, options: DrawOptions
) -> list[Line]:
    width, height = place.width - 4, place.height - 2
    heads = panel.heads(snapshot, width, height - 1, options) if height >= 2 else []
    body = inside(snapshot, width, height - bool(heads), options)
    return framed(
        [heads, *body] if heads else body,
        panel.title(snapshot, options),
        panel.summary(snapshot, options),
        place.width,
        place.height,
        style=panel.border(snapshot),
    )


def _ruled(
    panel: Panel, inside: Lines, snapshot: Snapshot, place: Placement, options: DrawOptions
) -> list[Line]:
    """Under a rule; column headings sit in the rule itself, where the summary would be."""
    width, height = place.width, place.height - 1
    heads = panel.heads(snapshot, width, height, options)
    options = options._replace(summary_hidden=bool(heads))
    title = panel.title(snapshot, options)
    top = rule(title, [] if heads else panel.summary(snapshot, options), width)
    body = block(inside(snapshot, width, height, options), width, height)
    return [_overlaid(top, heads, len(title) + 4) if heads else top, *body]


def _overlaid(top: Line, heads: Line, free_from: int) -> Line:
    """The headings written into a rule, each with a little air, right of the title."""
    words = "".join(text for text, _ in heads)
    line = top[:2]
    x = sum(len(text) for text, _ in line)
    end = sum(len(text) for text, _ in top)
    while x < end:
        word = x < len(words) and x >= free_from and _airy(words, x)
        stop = x
        while (
            stop < end and (stop < len(words) and stop >= free_from and _airy(words, stop)) == word
        ):
            stop += 1
        text = words[x:stop].ljust(stop - x) if word else "─" * (stop - x)
        line.append((text, "dim" if word else "frame"))
        x = stop
    return line


def _airy(words: str, x: int) -> bool:
    """True on a heading and on the cell at either side of it."""
    return bool(words[max(0, x - 1) : x + 2].strip())


def ticks(panel: str, snapshot: Snapshot) -> bool:
    """True where the panel shows an age or a countdown and so moves between polls."""
    figures = snapshot.demand.stale or snapshot.llm.stale or snapshot.cloud.stale
    economy = snapshot.mint.stale or snapshot.parallel.stale or snapshot.agents.stale
    old = {
        "multiplier": snapshot.demand.stale,
        "metrics": figures or snapshot.mint.stale,
        "economy": economy,
        "strip": figures or snapshot.mint.stale,
        "slots": snapshot.llm.stale,
        "gpus": any(g.state == "stale" for g in snapshot.gpus),
        "cloud": snapshot.cloud.stale,
        "capacity": snapshot.capacity.scale_down_in_s is not None,
        "services": any(s.state in ("stale", "backing-off") for s in snapshot.services)
        or any(e.state == "stale" for e in snapshot.engines),
        "engines": any(e.state == "stale" for e in snapshot.engines),
        "tokens": snapshot.llm.stale,
        "banner": snapshot.demand.stale,
    }
    return panel == "header" or old.get(panel, False)
