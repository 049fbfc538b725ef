"""The header: name and host at the left, the age of the data at the right, badges between."""

from tokentop.domain.gpu_pool import wholes
from tokentop.domain.presence import presence
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width, clean, fit
from tokentop.views.tui.draw.kit.glyphs import age
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, joined, sides
from tokentop.views.tui.draw.kit.line import span_width as wide
from tokentop.views.tui.draw.layout import ALL, COMPACT, EMPTY, LARGE, MEDIUM, SIZES, SMALL, Place
from tokentop.views.tui.draw.layout_inputs import engines_online, online, waiting
from tokentop.views.tui.draw.panel import Panel

# What is left out where room is short, the first one first; the age of the data never is.
_OPTIONAL = (
    "word", "ago", "gpus", "clock", "up", "interval", "services", "host", "badges", "name",
)  # fmt: skip


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The header in exactly `height` lines of `width` cells; optional parts go one by one."""
    room = max(0, width - 2)
    choices = (
        _line(snapshot, options, room, frozenset(_OPTIONAL[:n])) for n in range(len(_OPTIONAL) + 1)
    )
    line = next((c for c in choices if c is not None), _age(snapshot, options)[1:2])
    return block([[(" ", "text"), *line]], width, height)


def _line(
    snapshot: Snapshot, options: DrawOptions, room: int, without: frozenset[str]
) -> Line | None:
    """The header without some of its parts; None where that is still too wide."""
    tail = joined(_right(snapshot, options, without).values(), " · ")
    badges = _badges(snapshot, options, without)
    left = [] if "name" in without else _left(snapshot, room - wide(tail) - wide(badges) - 2)
    spent = wide(left) + wide(badges) + wide(tail) + 2
    if spent > room or not ("host" in without or _whole(left, snapshot)):
        return None
    return sides([*left, *badges], tail, room)


def _left(snapshot: Snapshot, room: int) -> Line:
    host = clean(snapshot.host, 253)
    left: Line = [("tokentop", "bright")]
    if host and room >= 8 + 2 + min(8, cell_width(host)):
        left.append(("  " + fit(host, min(cell_width(host), 32, room - 10)), "text"))
    return left


def _whole(left: Line, snapshot: Snapshot) -> bool:
    """True where the host is complete, or at least a dozen cells of it are there."""
    if len(left) == 1:
        return not snapshot.host
    return not left[1][0].endswith("…") or cell_width(left[1][0]) >= 14


def _badges(snapshot: Snapshot, options: DrawOptions, without: frozenset[str]) -> Line:
    """DEMO, PAUSED and the warnings about unverified TLS and a recording that fails."""
    short = "badges" in without
    tls, recording = ("TLS!", "REC!") if short else ("TLS UNVERIFIED", "NOT RECORDING")
    badges = [
        ("DEMO", "chip") if snapshot.demo else None,
        ("PAUSED", "badge.warn") if options.paused else None,
        (tls, "badge.warn") if options.insecure_tls else None,
        None if options.records else (recording, "badge.warn"),
    ]
    line: Line = []
    for badge in badges:
        line += [("  ", "text"), (f" {badge[0]} ", badge[1])] if badge else []
    return line


def _right(snapshot: Snapshot, options: DrawOptions, without: frozenset[str]) -> dict[str, Line]:
    serving, whole = wholes(snapshot.gpus)
    count = f"{serving}/{whole}" if serving < whole else f"{whole}"
    every = f"{options.interval_s or snapshot.interval_s:g}s"
    parts: dict[str, Line] = {
        "gpus": [(count, "text"), (f" GPU{'s' * (whole != 1)}", "dim")] if whole else [],
        "services": _up(snapshot, without),
        "interval": [("every ", "dim"), (every, "text")],
        "age": _age(snapshot, options),
        "clock": [(options.clock, "text")] if options.clock else [],
    }
    if "ago" in without:
        parts["age"] = parts["age"][:2]
    return {name: part for name, part in parts.items() if name not in without}


def _up(snapshot: Snapshot, without: frozenset[str]) -> Line:
    """`7/7 services`, `7/7 up`, `7/7`."""
    (up, of), word, here = online(snapshot), "services", presence(snapshot)
    if here in ("gpus", "nothing"):
        return []
    if here == "engines":
        up, of = engines_online(snapshot)
        word = f"engine{'s' * (of != 1)}"
    unit = "" if "up" in without else " up" if "word" in without else f" {word}"
    return [(f"{up}", "text"), (f"/{of}{unit}", "dim")]


def _age(snapshot: Snapshot, options: DrawOptions) -> Line:
    """The age of the newest good answer; a warning after three polls without one."""
    if snapshot.data_age_s is None:
        return [("asking" if waiting(snapshot) else "no data", "dim")]
    late = snapshot.data_age_s + options.elapsed_s > 3 * snapshot.interval_s
    text = fit(age(snapshot.data_age_s, options), 3, "right")
    return [("data ", "dim"), (text, "warn" if late else "text"), (" ago", "dim")]


PANEL = Panel(
    "header",
    lines,
    places=(
        Place((*LARGE, *MEDIUM), 0, (1,), contents=ALL),
        Place(SMALL, 3, (1,), contents=ALL),
        Place(SIZES, 1, (1,), contents=(*EMPTY, *COMPACT)),
    ),
    ticks=lambda _: True,
)
