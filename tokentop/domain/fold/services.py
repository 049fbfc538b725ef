"""The health strip: the seven services, the NVML driver and the providers of offers, in words."""

from collections.abc import Iterable, Mapping

from tokentop.domain.fold.inputs import FoldInput, ServiceObservation, age, is_fresh
from tokentop.domain.fold.last_good import NEVER, LastGood, bad_fields, listed
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import MEND_SLOW_DRIVER, FailureKind
from tokentop.domain.snapshot import AITHER_SERVICES, Service, ServiceState

SLOW_DRIVER_S = 2.0  # a reading of all GPUs takes milliseconds where the driver is well


def services(inp: FoldInput) -> tuple[Service, ...]:
    """One entry per service in the order given, then the driver, then the providers of offers."""
    nvml = ServiceObservation("nvml", None, inp.nvml_enabled, ("nvml",))
    held = {**inp.held, "nvml": inp.nvml}
    rows = [_service(view, view.kind, held, inp) for view in inp.services]
    return (*(row for row in rows if row.kind == "aither"), _service(nvml, "nvml", held, inp),
            *(row for row in rows if row.kind != "aither"))  # fmt: skip


def online(inp: FoldInput) -> tuple[tuple[str, bool], ...]:
    """Exactly the seven: whether any endpoint gave a valid answer in its latest poll."""
    up = {
        view.name
        for view in inp.services
        if view.enabled and any(is_fresh(inp.held.get(key, NEVER), inp) for key in view.keys)
    }
    return tuple((name, name in up) for name in AITHER_SERVICES)


def _service(
    view: ServiceObservation, kind: str, held: Mapping[str, LastGood], inp: FoldInput
) -> Service:
    if not view.enabled:
        return Service(view.name, kind, view.url, "off")
    endpoints = {key.rpartition("/")[2]: held.get(key, NEVER) for key in view.keys}
    ages = [seconds for h in endpoints.values() if (seconds := age(h, inp.now)) is not None]
    return Service(
        name=view.name,
        kind=kind,
        url=view.url,
        state=_state(list(endpoints.values()), inp),
        latency_ms=_slowest_ms(endpoints.values()),
        age_s=min(ages, default=None),
        error=_error(endpoints),
        reason=next((why for h in endpoints.values() if (why := _reason(h))), None),
        member=view.configured or bool(ages),
    )


def _state(endpoints: list[LastGood], inp: FoldInput) -> ServiceState:
    """Backing off needs every endpoint to; one answering endpoint keeps a service online."""
    if endpoints and all(held.backing_off for held in endpoints):
        return "backing-off"
    if any(_is_bad(held) for held in endpoints):
        return "bad-data"
    if any(is_fresh(held, inp) for held in endpoints):
        return "online"
    spoke = any(held.good is not None and held.good_at is not None for held in endpoints)
    return "stale" if spoke or any(map(_was_our_limit, endpoints)) else "offline"


def _was_our_limit(held: LastGood) -> bool:
    """Whether this program could not poll it: that says nothing of the service."""
    return isinstance(held.outcome, Failure) and held.outcome.kind == "our-limit"


def _is_bad(held: LastGood) -> bool:
    if isinstance(held.outcome, Failure):
        return held.outcome.kind == "bad-data"
    return held.good is not None and bool(bad_fields(held.good))


def _slowest_ms(endpoints: Iterable[LastGood]) -> float | None:
    """The slowest of the latest good answers, in milliseconds."""
    latencies = [held.latency_s for held in endpoints if held.outcome == "ok"]
    slowest = max((seconds for seconds in latencies if seconds is not None), default=None)
    return None if slowest is None else slowest * 1000.0


def _error(endpoints: Mapping[str, LastGood]) -> str | None:
    """What is wrong, with the endpoints it is wrong with; None where nothing is."""
    causes: dict[str, list[str]] = {}
    for name, held in endpoints.items():
        if (text := _complaint(held)) is not None:
            causes.setdefault(text, []).append(name)
    if tuple(endpoints) == ("nvml",):
        return next(iter(causes), None) or _slow(endpoints["nvml"])
    return "; ".join(f"{text} ({', '.join(names)})" for text, names in causes.items()) or None


def _slow(driver: LastGood) -> str | None:
    if driver.outcome != "ok" or (driver.latency_s or 0.0) < SLOW_DRIVER_S:
        return None
    return f"slow: reading the GPUs takes {driver.latency_s:.1f} s; {MEND_SLOW_DRIVER}"


def _reason(held: LastGood) -> FailureKind | None:
    if isinstance(held.outcome, Failure):
        return held.outcome.kind
    return "bad-data" if _is_bad(held) else None


def _complaint(held: LastGood) -> str | None:
    if isinstance(held.outcome, Failure):
        return held.outcome.text
    bad = bad_fields(held.good) if held.good is not None else ()
    return f"unusable values in {listed(bad)}" if bad else None
