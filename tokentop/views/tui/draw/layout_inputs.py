"""What the layout and the absent faces need to know about a snapshot, as plain answers."""

from typing import NamedTuple

from tokentop.domain.snapshot import Service, Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions

_EXPECTED = 8  # rows kept for GPUs before the first answer, so that the screen does not jump


class LayoutInputs(NamedTuple):
    """What arrange() depends on; it changes rarely, so that nothing jumps from poll to poll."""

    gpu_rows: int = 0
    services: int = 7
    instances: int = 0
    empty: bool = False
    compact: bool = False
    hidden: frozenset[str] = frozenset()
    engines: int = 0
    has_stack: bool = True
    engine_rows: int = 0


def layout_inputs(snapshot: Snapshot, options: DrawOptions) -> LayoutInputs:
    """The layout's facts about one snapshot."""
    groups = {e.group or "" for e in snapshot.engines}
    return LayoutInputs(
        gpu_rows=_EXPECTED if waiting(snapshot) else len(snapshot.gpus),
        services=len(stack(snapshot)) + len(snapshot.engines),
        instances=len(snapshot.cloud.instances or ()),
        empty=empty(snapshot),
        compact=options.compact,
        hidden=options.hidden,
        engines=len(snapshot.engines),
        has_stack=has_stack(snapshot) or not snapshot.engines,
        engine_rows=len(snapshot.engines) + len(groups if any(groups) else ()),
    )


def has_stack(snapshot: Snapshot) -> bool:
    """True where the seven-service stack answers, has answered, or was configured, and is not off.

    Only who named it, or set its prices, has a base cost before it has ever answered.
    """
    if any(up for _, up in snapshot.services_online):
        return True
    seven = [s for s in snapshot.services if s.kind == "aither"]
    if seven and all(s.state == "off" for s in seven):
        return False
    if snapshot.pricing.base_cost_tokens is not None:
        return True
    return any(s.age_s is not None for s in seven)


def stack(snapshot: Snapshot) -> tuple[Service, ...]:
    """The services of the strip beside the engines: none where there are engines and no stack."""
    rows = tuple(s for s in snapshot.services if s.kind != "nvml")
    if snapshot.engines:
        return tuple(s for s in rows if s.kind == "aither") if has_stack(snapshot) else ()
    return rows or tuple(Service(name, "aither") for name, _ in snapshot.services_online)


def driver(snapshot: Snapshot) -> Service | None:
    """The NVML row, if the driver was asked at all."""
    return next((s for s in snapshot.services if s.kind == "nvml"), None)


def waiting(snapshot: Snapshot) -> bool:
    """True before the first answer, good or bad, of any source."""
    return snapshot.data_age_s is None and not any(map(answered, snapshot.services))


def answered(service: Service) -> bool:
    """True where a source has said or failed anything at all."""
    return service.error is not None or service.age_s is not None or service.state == "off"


def empty(snapshot: Snapshot) -> bool:
    """True where everything was asked and nothing was ever found: no GPU, no service."""
    if snapshot.data_age_s is not None or snapshot.gpus or not snapshot.services:
        return False
    return all(map(answered, snapshot.services))


def online(snapshot: Snapshot) -> tuple[int, int]:
    """Services online, and services there are (the seven)."""
    states = [up for _, up in snapshot.services_online]
    return sum(states), len(states)


def engines_online(snapshot: Snapshot) -> tuple[int, int]:
    """Engines online, and engines there are; a Prometheus server that reports them is none."""
    serving = [e for e in snapshot.engines if e.kind != "prometheus"]
    return sum(e.state == "online" for e in serving), len(serving)
