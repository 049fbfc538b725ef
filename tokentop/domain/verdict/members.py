"""Which engines count for the health of the whole, and the standing of each."""

from collections.abc import Iterable

from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.rows import frozen, problem
from tokentop.domain.text import clean, fmt_age
from tokentop.domain.verdict.values import Clock, Member, Reason, Standing

_WHY_DEGRADED = {
    "auth-required": "wants an API key",
    "no-metrics": "has its statistics disabled",
    "bad-data": "answers nothing usable",
    "stale": "does not answer",
    "backing-off": "does not answer",
}


def engine_members(
    engines: Iterable[EngineObservation], lost_pids: frozenset[int], clock: Clock
) -> tuple[Member, ...]:
    """The engines that count: configured, or readable at some time since the start."""
    return tuple(_engine(one, lost_pids, clock) for one in engines if counts(one))


def counts(one: EngineObservation) -> bool:
    """Whether the engine is a member; one that was found and could never be read is not."""
    polled = one.outcome is not None or one.starting
    readable = one.read_before or one.starting or one.state in ("starting", "names-only")
    return polled and one.kind != "prometheus" and (one.configured or readable)


def pool_of(one: EngineObservation) -> str:
    """The name of the engine's pool: its model, else what it is called, else where it is."""
    return clean(one.model or one.name or place(one) or one.id, 80)


def place(one: EngineObservation) -> str:
    """Its host and port."""
    return (one.url or one.id).rpartition("://")[2].rpartition("@")[2]


def _engine(one: EngineObservation, lost_pids: frozenset[int], clock: Clock) -> Member:
    standing = _standing(one, lost_pids, clock)
    reason = _reason(one, standing, clock)
    router = one.reading is not None and one.reading.router
    return Member(one.id, pool_of(one), standing, place(one), reason, router)


def _standing(one: EngineObservation, lost_pids: frozenset[int], clock: Clock) -> Standing:
    state = one.state
    if state == "starting":
        waiting_s = clock.seconds_since(one.unserved_since)
        return "starting" if waiting_s <= clock.starting_grace_s else "down"
    if state in ("offline", "gone"):
        return "down"
    sound = state in ("online", "asleep", "names-only") and not frozen(one)
    spotless = one.figures is None or not one.figures.bad
    return "serving" if sound and spotless and not lost_pids & set(one.pids) else "degraded"


def _reason(one: EngineObservation, standing: Standing, clock: Clock) -> Reason | None:
    if standing == "serving":
        return None
    name, here = pool_of(one), place(one)
    if standing == "starting":
        return Reason("engine_starting", f"{name} is starting: the model is being loaded", one.id)
    if standing == "down":
        return Reason("engine_down", f"{name} is down: {_why_down(one, clock)}", one.id)
    subject = name if here in ("", name) else f"{name} ({here})"
    return Reason("engine_degraded", f"{subject} {_why_degraded(one)}", one.id)


def _why_down(one: EngineObservation, clock: Clock) -> str:
    why = f"nothing listens on {place(one)}"
    if one.state == "starting":
        waited = fmt_age(clock.seconds_since(one.unserved_since))
        return f"it has been starting for {waited}"
    if one.state == "offline" and not _refused(one):
        why = clean(problem(one) or f"{place(one)} does not answer", 160)
    return why + clock.since(one.unserved_since)


def _refused(one: EngineObservation) -> bool:
    return getattr(one.outcome, "kind", None) == "refused"


def _why_degraded(one: EngineObservation) -> str:
    """What it does, as the rest of a sentence that begins with its name."""
    if getattr(one.outcome, "kind", None) == "our-limit":
        return f"is unknown: {clean(problem(one) or 'it was not polled', 160)}"
    if one.state in ("stale", "backing-off") and one.silent_s is not None:
        return f"has not answered for {fmt_age(one.silent_s)}"
    if one.state in _WHY_DEGRADED:
        return _WHY_DEGRADED[one.state]
    return clean(problem(one) or "runs on a GPU that is lost", 200)
