"""What changed about the engines: down, starting, ready, back, restarted."""

from collections.abc import Iterable, Iterator

from tokentop.domain.snapshot_engines import SILENT_STATES, Engine
from tokentop.domain.verdict.values import Event
from tokentop.light_typing import Literal

_Standing = Literal["unknown", "silent", "starting", "answers"]


def engine_events(before: Iterable[Engine], after: Iterable[Engine]) -> Iterator[Event]:
    """The events of engines that stand in both; one that appears or goes has none."""
    earlier = {engine.id: engine for engine in before}
    for engine in after:
        old = earlier.get(engine.id)
        event = None if old is None else _event(old, engine)
        if event is not None:
            yield event


def _event(old: Engine, engine: Engine) -> Event | None:
    was, now = _standing(old), _standing(engine)
    if "unknown" in (was, now) or (was == now != "answers"):
        return None
    name = engine_name(engine)
    if now == "silent":
        return Event("engine_down", f"{name} is down: {_why(engine)}", engine.id)
    if now == "starting":
        text = f"{name} is starting: the model is being loaded"
        return Event("engine_starting", text, engine.id)
    if restarted(old, engine):
        return Event("engine_restarted", f"{name} has restarted", engine.id)
    if was == "starting":
        return Event("engine_ready", f"{name} is ready", engine.id)
    return Event("engine_back", f"{name} answers again", engine.id) if was == "silent" else None


def _standing(engine: Engine) -> _Standing:
    """Four words for the eleven states, so that a silence is one event however long it lasts."""
    if engine.state == "starting":
        return "starting"
    if engine.state in SILENT_STATES:
        polled = engine.error is not None or engine.age_s is not None
        return "silent" if polled else "unknown"
    return "answers"


def engine_name(engine: Engine) -> str:
    """Its model and where it is, as far as they are known."""
    place = (engine.url or engine.id).rpartition("://")[2].rpartition("@")[2]
    name = engine.model or engine.name or place
    return name if name == place else f"{name} ({place})"


def _why(engine: Engine) -> str:
    return engine.error or "it does not answer"


def restarted(old: Engine, engine: Engine) -> bool:
    """Whether a total fell, or other processes serve there; not where several answer in turn."""
    if engine.error is not None or engine.source != "direct":
        return False
    totals = zip(_totals(old), _totals(engine), strict=True)
    fell = any(a is not None and b is not None and b < a for a, b in totals)
    moved = bool(old.pids and engine.pids) and not set(old.pids) & set(engine.pids)
    return fell or moved


def _totals(engine: Engine) -> tuple[int | None, ...]:
    return (*engine.finished, engine.preemptions, engine.rejections)
