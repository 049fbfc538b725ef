"""The services: a symbol and a name for each one, engines as well, with its state below."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot import Service, Snapshot
from tokentop.domain.snapshot_engines import DOWN_STATES, Engine
from tokentop.domain.text import cell_width, clean, fit, known
from tokentop.views.palette import ENGINE_STYLES, engine_symbol, service_symbol
from tokentop.views.tui.draw.kit import format as fmt
from tokentop.views.tui.draw.kit.glyphs import age
from tokentop.views.tui.draw.kit.line import DrawOptions, Line, block, exact, joined
from tokentop.views.tui.draw.layout import ENGINES, LARGE, MEDIUM, SMALL, STACK, Place
from tokentop.views.tui.draw.layout_inputs import (
    LayoutInputs,
    answered,
    driver_trouble,
    engines_online,
    online,
    stack,
)
from tokentop.views.tui.draw.panel import Panel, Places

TITLE = "services"
_SHORT = {"microscheduler": "microsched"}
_BRIEF = {
    "genesis": "gen", "microscheduler": "sched", "compute": "comp", "accel": "accel",
    "parallel": "para",
}  # fmt: skip
_SILENT = ("offline", "stale", "backing-off", "bad-data")
_STYLES = {
    "down": "error",
    "online": "active",
    "stale": "warn",
    "backing-off": "warn",
    "bad-data": "error",
}


# Why a source is silent, in the one or two words that there is room for.
_REASONS: dict[FailureKind, str] = {
    "refused": "refused", "unreachable": "unreachable", "no-such-host": "no such host",
    "no-route": "no route", "timeout": "timeout", "tls": "TLS failed",
    "tls-expired": "TLS expired", "reset": "cut off", "too-large": "too large",
    "redirect": "redirects", "auth": "needs a token", "token-refused": "token refused",
    "not-found": "HTTP 404", "http": "HTTP error", "server-error": "HTTP 5xx",
    "bad-data": "bad data", "driver": "refuses", "gpu-lost": "GPUs fail", "absent": "gone",
    "our-limit": "our limit",
}  # fmt: skip

_REASONED, _BOTH = 100, 180  # cells from which a reason replaces, and follows, the state
_MANY = 14  # engines beyond which they are counted by state instead of named


class Item(NamedTuple):
    """One place in the strip: its mark, its name, and its state in words, the longest first."""

    mark: tuple[str, str]
    name: str
    name_style: str
    words: tuple[str, ...]
    style: str = "dim"
    brief: str = ""


def lines(snapshot: Snapshot, width: int, height: int, options: DrawOptions) -> list[Line]:
    """The strip in exactly `height` lines of `width` cells."""
    why = 0 if width < _REASONED else 1 if width < _BOTH else 2
    items = [_service(s, options, why=why) for s in stack(snapshot)]
    driver = driver_trouble(snapshot)
    last = [] if driver is None else [_driver(driver, options, why=why)]
    if len(snapshot.engines) > _MANY:
        counts = _counts(snapshot.engines, options)
        items += last
        body = _strip(items, width, height - 1) if items and height > 1 else []
        return block([*body, counts], width, height)
    items += [_engine(e, options, why=why) for e in snapshot.engines] + last
    return block(_strip(items, width, height), width, height)


def _strip(items: Sequence[Item], width: int, height: int) -> list[Line]:
    if height >= 2 and width // max(1, len(items)) >= 9:
        return list(_two_rows(items, width))
    return _flow(items, width, height)


def title(snapshot: Snapshot, _options: DrawOptions) -> str:
    """Services, engines, or both."""
    if not snapshot.engines:
        return TITLE
    return "services and engines" if stack(snapshot) else "engines"


def summary(snapshot: Snapshot, _options: DrawOptions) -> Line:
    """How many services and how many engines are online."""
    parts: list[Line] = []
    if stack(snapshot):
        up, of = online(snapshot)
        parts.append([(str(up), "bright"), (f"/{of} online", "dim")])
    if snapshot.engines:
        up, of = engines_online(snapshot)
        word = " engines" if parts else " online"
        parts.append([(str(up), "bright"), (f"/{of}{word}", "dim")])
    return joined(parts, " · ")


def _counts(all_engines: Sequence[Engine], options: DrawOptions) -> Line:
    """`● 61 online  ◔ 2 starting`: a fleet in one line."""
    found = Counter(e.state for e in all_engines if e.kind != "prometheus")
    return joined(
        [
            (engine_symbol(state, plain=options.ascii), ENGINE_STYLES.get(state, "dim")),
            (f" {count}", "bright"),
            (f" {state}", "dim"),
        ]
        for state, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    )


def _service(service: Service, options: DrawOptions, *, why: int) -> Item:
    style = "error" if service.state == "bad-data" else "dim"
    name = _name(service)
    brief = _BRIEF.get(service.name, name)
    words = _state_words(service, options)
    if why and service.state in _SILENT and answered(service):
        words = _with_reason(words, service.reason, service.state, why)
    return Item(_symbol(service, options), name, _name_style(service), words, style, brief)


def _driver(driver: Service, options: DrawOptions, *, why: int) -> Item:
    """The NVIDIA driver, which stands here only while it is silent or slow."""
    item = _service(driver, options, why=why)._replace(name="driver", brief="drv")
    if driver.state != "online":
        return item
    mark = (service_symbol("stale", plain=options.ascii), _STYLES["stale"])
    seconds = f"{(driver.latency_ms or 0.0) / 1000:.1f} s"
    return item._replace(mark=mark, words=(f"slow {seconds}", "slow"))


def _engine(engine: Engine, options: DrawOptions, *, why: int) -> Item:
    """An engine by its name; below, its tokens/s while it is online, else its state."""
    style = ENGINE_STYLES.get(engine.state, "dim")
    mark = (engine_symbol(engine.state, plain=options.ascii), style)
    online_now = engine.state == "online"
    words = fmt.state_words(fmt.state(engine))
    if online_now and not engine.router:
        speed = fmt.rate(engine.generation_tokens_per_s, fmt.lower_bound((engine,), options))
        kind = clean(engine.kind, 12)
        words = (f"{kind} · {speed} tok/s", f"{speed} tok/s", "online")
    if engine.state == "stale":
        words = (f"stale {age(engine.age_s, options)}", "stale")
    if why and engine.state in _SILENT:
        words = _with_reason(words, engine.reason, engine.state, why)
    name_style = "text" if online_now else "error" if engine.state in DOWN_STATES else "dim"
    return Item(mark, fmt.engine_name(engine), name_style, words, "dim" if online_now else style)


def _with_reason(
    words: tuple[str, ...], kind: FailureKind | None, state: str, why: int
) -> tuple[str, ...]:
    """The state with its reason, or the reason alone: the mark before it shows the state."""
    if kind is None:
        return words
    reason = _REASONS[kind]
    if state == "bad-data":
        return (reason, *words)
    if why > 1 or state == "stale":
        return (f"{words[0]}: {reason}", *words)
    return (words[0].replace(state, reason), *words)  # `backing-off 2m` as `refused 2m`


def _state_words(service: Service, options: DrawOptions) -> tuple[str, ...]:
    """The state in a word or two: the latency while it is online, the age where it is stale."""
    if not answered(service) and service.state == "offline":
        return ("asking",)
    if service.state == "online":
        return (f"{service.latency_ms:.0f} ms" if known(service.latency_ms) else "online",)
    if service.state == "stale":
        old = age(service.age_s, options)
        return (f"stale {old}", f"{old} old", old)
    if service.state == "backing-off" and service.age_s is not None:
        old = age(service.age_s, options)
        return (f"backing-off {old}", "backing-off", "backoff")
    return {"bad-data": ("bad data", "bad"), "off": ("not set up", "off")}.get(
        service.state, fmt.state_words(service.state)
    )


def _symbol(service: Service, options: DrawOptions) -> tuple[str, str]:
    pending = not answered(service)
    state = "off" if pending else "down" if _is_down(service) else service.state
    return service_symbol(state, plain=options.ascii), _STYLES.get(state, "dim")


def _is_down(service: Service) -> bool:
    """Configured, or heard before, and silent now."""
    return service.member and service.state == "offline" and answered(service)


def _name(service: Service) -> str:
    name = clean(service.name, 24)
    return _SHORT.get(name, name)


def _name_style(service: Service) -> str:
    return "text" if service.state == "online" else "error" if _is_down(service) else "dim"


def _two_rows(items: Sequence[Item], width: int) -> tuple[Line, Line]:
    """Names over states; an item keeps its place whatever its state is."""
    natural = [max(11, cell_width(item.name) + 3) for item in items]
    if sum(natural) > width:
        natural = [max(9, cell_width(item.name) + 3) for item in items]
    if sum(natural) > width:
        natural = [width // len(items)] * len(items)
    spare, places = divmod(width - sum(natural), max(1, len(items)))
    names: Line = []
    states: Line = []
    for i, item in enumerate(items):
        room = natural[i] + spare + (i < places)
        names += exact([item.mark, (" " + fit(item.name, room - 3), item.name_style)], room)
        word = next((w for w in item.words if cell_width(w) <= room - 3), item.words[-1])
        states += exact([("  " + fit(word, room - 3), item.style)], room)
    return names, states


def _flow(items: Sequence[Item], width: int, height: int) -> list[Line]:
    """Names one after the other, shortened until all of them fit."""
    for blank, longest, gap in ((" ", 24, 2), (" ", 5, 2), (" ", 5, 1), ("", 3, 1), ("", 2, 1)):
        parts = [[i.mark, (blank + _clipped(i, longest), i.name_style)] for i in items]
        found = _wrapped(parts, width, gap)
        if len(found) <= height:
            return found
    return _wrapped([[item.mark] for item in items], width, 1)


def _clipped(item: Item, longest: int) -> str:
    if longest > 5:
        return fit(item.name, longest).rstrip()
    name = item.brief or item.name
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


def _places(inputs: LayoutInputs) -> Places:
    """Two rows; one where engines are many enough to be counted only."""
    rows = 4 if inputs.engines <= _MANY else 3
    return (
        Place(LARGE, 5, (4,), "frame", contents=STACK),
        Place(LARGE, 5, (rows,), "frame", contents=ENGINES),
        Place(MEDIUM, 2, (1, 2), inset=1),
        Place(SMALL, 6, (1,), inset=1, inset_from=30),
    )


def _ticks(snapshot: Snapshot) -> bool:
    if any(s.state in ("stale", "backing-off") for s in snapshot.services):
        return True
    return any(e.state == "stale" for e in snapshot.engines)


PANEL = Panel("services", lines, title, summary, places=_places, ticks=_ticks)
