"""The health strip: a symbol and a name per service, its state beneath; what is off is dim."""

from tokentop.domain.model import Service, Snapshot
from tokentop.domain.text import cell_width, clean, fit, known
from tokentop.views.palette import service_symbol
from tokentop.views.tui.draw.facts import answered, online, stack
from tokentop.views.tui.draw.line import Line, Look, block, exact
from tokentop.views.tui.draw.marks import age

TITLE = "services"
_SHORT = {"microscheduler": "microsched"}
_BRIEF = {
    "genesis": "gen", "microscheduler": "sched", "compute": "comp", "accel": "accel",
    "parallel": "para",
}  # fmt: skip
_STYLES = {"online": "active", "stale": "warn", "parked": "warn", "bad-data": "error"}


def lines(snapshot: Snapshot, width: int, height: int, look: Look) -> list[Line]:
    """The strip in exactly `height` lines of `width` cells."""
    rows = stack(snapshot)
    if height >= 2 and width // max(1, len(rows)) >= 9:
        names, states = _two_rows(rows, width, look)
        return block([names, states], width, height)
    return block(_flow(rows, width, height, look), width, height)


def summary(snapshot: Snapshot, _look: Look) -> Line:
    """How many of the seven are online."""
    up, of = online(snapshot)
    return [(str(up), "bright"), (f"/{of} online", "dim")]


def state_word(service: Service, look: Look, room: int = 99) -> str:
    """The state in a word or two: a latency while all is well, an age once it is not."""
    if not answered(service) and service.state == "offline":
        return "asking"
    if service.state == "online":
        return f"{service.latency_ms:.0f} ms" if known(service.latency_ms) else "online"
    if service.state == "stale":
        old = age(service.age_s, look)
        return next((w for w in (f"stale {old}", f"{old} old") if len(w) <= room), old)
    words = {"bad-data": ("bad data", "bad"), "off": ("not set up", "off")}
    return next((w for w in words.get(service.state, ()) if len(w) <= room), service.state)


def _symbol(service: Service, look: Look) -> tuple[str, str]:
    asking = not answered(service)
    mark = service_symbol("off" if asking else service.state, plain=look.ascii)
    return mark, "dim" if asking else _STYLES.get(service.state, "dim")


def _name(service: Service) -> str:
    name = clean(service.name, 24)
    return _SHORT.get(name, name)


def _name_style(service: Service) -> str:
    return "text" if service.state == "online" else "dim"


def _two_rows(rows: tuple[Service, ...], width: int, look: Look) -> tuple[Line, Line]:
    """Names over states; each service keeps its place whatever its state is."""
    natural = [max(11, cell_width(_name(s)) + 3) for s in rows]
    if sum(natural) > width:
        natural = [max(9, cell_width(_name(s)) + 3) for s in rows]
    if sum(natural) > width:
        natural = [width // len(rows)] * len(rows)
    spare, places = divmod(width - sum(natural), max(1, len(rows)))
    names: Line = []
    states: Line = []
    for i, service in enumerate(rows):
        room = natural[i] + spare + (i < places)
        names += exact(
            [_symbol(service, look), (" " + fit(_name(service), room - 3), _name_style(service))],
            room,
        )
        word = fit(state_word(service, look, room - 3), room - 3)
        style = "error" if service.state == "bad-data" else "dim"
        states += exact([("  " + word, style)], room)
    return names, states


def _flow(rows: tuple[Service, ...], width: int, height: int, look: Look) -> list[Line]:
    """Names one after the other in as few cells as it takes."""
    for air, longest, gap in ((" ", 24, 2), (" ", 5, 2), (" ", 5, 1), ("", 3, 1), ("", 2, 1)):
        parts = [[_symbol(s, look), (air + _clipped(s, longest), _name_style(s))] for s in rows]
        found = _wrapped(parts, width, gap)
        if len(found) <= height:
            return found
    return _wrapped([[_symbol(s, look)] for s in rows], width, 1)


def _clipped(service: Service, longest: int) -> str:
    if longest > 5:
        return _name(service)
    name = _BRIEF.get(service.name, _name(service))
    return fit(name, longest).rstrip() if cell_width(name) > 5 else name[:longest]


def _wrapped(parts: list[Line], width: int, gap: int) -> list[Line]:
    drawn: list[Line] = [[]]
    used = 0
    for part in parts:
        size = sum(cell_width(text) for text, _ in part)
        if used and used + gap + size > width:
            drawn.append([])
            used = 0
        drawn[-1] += [(" " * gap, "text"), *part] if used else part
        used += size + (gap if used else 0)
    return drawn
