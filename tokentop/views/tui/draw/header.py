"""The header: who and where at the left, how fresh at the right, badges for what is not usual."""

from tokentop.domain.model import Snapshot
from tokentop.domain.text import cell_width, clean, fit
from tokentop.views.tui.draw import engines
from tokentop.views.tui.draw.facts import has_stack, online, waiting
from tokentop.views.tui.draw.line import Line, Look, block, joined, sides
from tokentop.views.tui.draw.line import span_width as wide
from tokentop.views.tui.draw.marks import age


def lines(snapshot: Snapshot, width: int, height: int, look: Look) -> list[Line]:
    """The header in exactly `height` lines of `width` cells; second-rank parts go first."""
    room = max(0, width - 2)
    right = _right(snapshot, look)
    badges = _badges(snapshot, look)
    # From the full picture downwards: what is dropped first stands first.
    for dropped in (None, "interval", "gpus", "ago", "services", "clock", "age"):
        right.pop(dropped or "", None)
        if dropped == "ago" and len(right["age"]) == 3:
            right["age"] = right["age"][:2]
        tail = joined(right.values(), " · ")
        left = _left(snapshot, room - wide(tail) - wide(badges) - 2)
        if wide(left) + wide(badges) + wide(tail) + 2 <= room and _whole(left, snapshot):
            break
    line = sides([*left, *badges], tail, room)
    return block([[(" ", "text"), *line]], width, height)


def _left(snapshot: Snapshot, room: int) -> Line:
    host = clean(snapshot.host, 253)
    left: Line = [("tokentop", "bright")]
    if host and room >= 8 + 2 + min(8, cell_width(host)):
        left.append(("  " + fit(host, min(cell_width(host), 32, room - 10)), "text"))
    return left


def _whole(left: Line, snapshot: Snapshot) -> bool:
    """True where the host is readable: whole, or at least a dozen cells of it."""
    if len(left) == 1:
        return not snapshot.host
    return not left[1][0].endswith("…") or cell_width(left[1][0]) >= 14


def _badges(snapshot: Snapshot, look: Look) -> Line:
    """DEMO, PAUSED and the warning about unverified TLS."""
    said = [
        ("DEMO", "chip") if snapshot.demo else None,
        ("PAUSED", "badge.warn") if look.paused else None,
        ("TLS UNVERIFIED", "badge.warn") if look.insecure_tls else None,
    ]
    line: Line = []
    for badge in said:
        line += [("  ", "text"), (f" {badge[0]} ", badge[1])] if badge else []
    return line


def _right(snapshot: Snapshot, look: Look) -> dict[str, Line]:
    up, of = online(snapshot)
    whole = sum(g.mig is None for g in snapshot.gpus)
    parts: dict[str, Line] = {}
    if whole:
        parts["gpus"] = [(f"{whole}", "text"), (f" GPU{'s' * (whole != 1)}", "dim")]
    parts["services"] = [(f"{up}", "text"), (f"/{of} services", "dim")]
    if snapshot.engines and not has_stack(snapshot):
        up, of = engines.counted(snapshot)
        parts["services"] = [(f"{up}", "text"), (f"/{of} engine{'s' * (of != 1)}", "dim")]
    parts["interval"] = [
        ("every ", "dim"),
        (f"{look.interval_s or snapshot.interval_s:g}s", "text"),
    ]
    parts["age"] = _age(snapshot, look)
    if look.clock:
        parts["clock"] = [(look.clock, "text")]
    return parts


def _age(snapshot: Snapshot, look: Look) -> Line:
    """The age of the newest good answer; amber once three polls have gone by without one."""
    if snapshot.data_age_s is None:
        return [("asking" if waiting(snapshot) else "no data", "dim")]
    late = snapshot.data_age_s + look.elapsed_s > 3 * snapshot.interval_s
    text = fit(age(snapshot.data_age_s, look), 3, "right")
    return [("data ", "dim"), (text, "warn" if late else "text"), (" ago", "dim")]
