"""Where engines are looked for, and how to name one; also a part of the welcome page."""

from collections.abc import Sequence
from functools import cache

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean, fit
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, wrapped
from tokentop.views.tui.draw.layout import GPUS, LARGE, MEDIUM, Place
from tokentop.views.tui.draw.layout_inputs import LayoutInputs
from tokentop.views.tui.draw.panel import Panel, Places

_LABEL = 13
NAME_ONE = ("in ~/.config/tokentop/config.toml:", "[[engine]]", 'url = "http://gpu-box:8000"')


def lines(_snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The panel in exactly `height` lines of `width` cells."""
    return block(page(width, options), width, height)


def page(width: int, options: DrawOptions) -> list[Line]:
    """Ports, hosts, and an example; all rows, whatever the height."""
    off = "The search for engines is switched off (--no-discovery)."
    looked = _looked_at(options) if options.search else off
    return [*labelled("looked at", [looked], width), *labelled("to name one", NAME_ONE, width)]


def labelled(label: str, words: Sequence[str], width: int) -> list[Line]:
    """A label and what belongs to it, one below the other, wrapped to the width."""
    indent = _LABEL if width >= 60 else 0
    found = [row for each in words for row in wrapped(each, max(8, width - indent), 6)]
    labels = [label if indent else "", *[""] * (len(found) - 1)]
    rows = zip(labels, found, strict=True)
    return [[(fit(name, indent), "dim"), (row, "text")] for name, row in rows]


def _looked_at(options: DrawOptions) -> str:
    """Hosts, the engines' usual ports and those of no one engine, in one sentence."""
    own, others = _usual()
    named = ", ".join(f"{port} {'/'.join(kinds)}" for port, kinds in own)
    more = " ".join(map(str, (*options.ports_searched, *others)))
    hosts = " ".join(clean(host, 60) for host in options.hosts_searched)
    tried, candidates = options.searched
    room = f" ({tried} of {candidates} such places)" if tried < candidates else ""
    return f"{hosts} at {named}; {more}; and wherever a process here listens{room}"


@cache
def _usual() -> tuple[tuple[tuple[int, tuple[str, ...]], ...], tuple[int, ...]]:
    """((port, the engines that usually listen there), ...) and where other images put engines."""
    from tokentop.sources.engines.registry import OTHER_PORTS, specs  # loads every engine's file

    found: dict[int, list[str]] = {}
    for one in specs():
        if one.port is not None:
            found.setdefault(one.port, []).append(one.kind)
    own = tuple((port, tuple(kinds)) for port, kinds in found.items())
    return own, tuple(port for port in OTHER_PORTS if port not in found)


def _places(inputs: LayoutInputs) -> Places:
    """Not before the first answers: nothing has been looked for yet."""
    if inputs.waiting:
        return ()
    return (
        Place(LARGE, 4, (0, 7, 8), "frame", contents=GPUS),
        Place(MEDIUM, 4, (0, 4, 7), "rule", 1, contents=GPUS),
    )


PANEL = Panel("search", lines, "engines", places=_places)
