"""The quiet line: the Mint pool, parallel streams, agents online."""

from tokentop.domain.model import Snapshot
from tokentop.domain.text import DASH, fmt_count
from tokentop.views.tui.draw.line import Line, Look, block, dimmed, first_fit, joined


def lines(snapshot: Snapshot, width: int, height: int, _look: Look) -> list[Line]:
    """One quiet line; what nobody said is a dash in its place."""
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
    if mint.stale:
        pool, supply, circulation = dimmed([pool, supply, circulation])
    streams = dimmed([streams])[0] if parallel.stale else streams
    roster = dimmed([roster])[0] if agents.stale else roster
    full = joined([pool, supply, circulation], " · ")
    choices = [
        joined([full, streams, [*roster, *busy]], "     "),
        joined([full, streams, roster], "   "),
        joined([pool, streams, roster], "   "),
        joined([pool, streams], "  "),
        pool,
    ]
    return block([first_fit(choices, width)], width, height)


def _figure(value: float | None) -> Line:
    text = fmt_count(value)
    return [(text, "dim" if text == DASH else "text")]
