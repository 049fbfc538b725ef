"""One line: the Mint pool, parallel streams, agents online."""

from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import DASH, fmt_count
from tokentop.views.tui.draw.kit.glyphs import old
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, dimmed, first_fit, joined
from tokentop.views.tui.draw.layout import LARGE, MEDIUM, STACK, Place
from tokentop.views.tui.draw.panel import Panel


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """One line; an unknown figure is a dash in its place."""
    mint, parallel, agents = snapshot.mint, snapshot.parallel, snapshot.agents
    pool: Line = [("mint ", "dim"), *_figure(mint.balance), (" pool", "dim")]
    supply: Line = [*_figure(mint.supply), (" supply", "dim")]
    circulation: Line = [*_figure(mint.circulation), (" circulating", "dim")]
    streams: Line = [
        ("streams ", "dim"),
        *_figure(parallel.active_streams),
        (f"/{fmt_count(parallel.max_streams)}", "dim"),
    ]
    roster: Line = [("agents ", "dim"), *_figure(agents.online), (" online", "dim")]
    busy: Line = (
        [(f", {fmt_count(agents.active)} active", "dim")] if agents.active is not None else []
    )
    pool_old, streams_old, roster_old = (
        _aged(part.stale, part.age_s, options) for part in (mint, parallel, agents)
    )
    whole: Line = []
    if pool_old and pool_old == streams_old == roster_old:  # all three are of the same age
        whole, pool_old, streams_old, roster_old = pool_old[1:], [], [], []
    if mint.stale:
        pool, supply, circulation = dimmed([pool, supply, circulation])
    streams = [*dimmed([streams])[0], *streams_old] if parallel.stale else streams
    roster = [*dimmed([roster])[0], *roster_old] if agents.stale else roster
    pool, circulation = [*pool, *pool_old], [*circulation, *pool_old]
    full = joined([pool[:3], supply, circulation], " · ")
    choices = [
        joined([full, streams, [*roster, *busy], whole], "     "),
        joined([full, streams, roster, whole], "   "),
        joined([pool, streams, roster, whole], "   "),
        joined([pool, streams, roster, whole], "  "),
        joined([pool, streams, whole], "  "),
        joined([pool, whole], "  "),
    ]
    return block([first_fit(choices, width)], width, height)


def _aged(stale: bool, age_s: float | None, options: DrawOptions) -> Line:
    """The age of a stale part, else nothing."""
    return [(" ", "text"), (old(age_s, options), "stale")] if stale else []


def _figure(value: float | None) -> Line:
    text = fmt_count(value)
    return [(text, "dim" if text == DASH else "text")]


def _ticks(snapshot: Snapshot) -> bool:
    return snapshot.mint.stale or snapshot.parallel.stale or snapshot.agents.stale


PANEL = Panel(
    "economy",
    lines,
    places=(
        Place(LARGE, 8, (1,), inset=2, contents=STACK),
        Place(MEDIUM, 10, (1,), inset=1, contents=STACK),
    ),
    ticks=_ticks,
)
