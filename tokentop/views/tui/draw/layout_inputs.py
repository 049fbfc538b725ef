"""What the layout depends on, and the questions about a snapshot that several panels share."""

from typing import NamedTuple

from tokentop.domain.snapshot import Service, Snapshot
from tokentop.views.tui.draw.kit.line import DrawOptions

_EXPECTED = 8  # rows for GPUs before the first answer, so that the screen does not jump


class LayoutInputs(NamedTuple):
    """What the layout depends on; it changes rarely, so that nothing jumps from poll to poll.

    `engine_rows` counts the headings of groups as well.
    """

    gpu_rows: int = 0
    empty: bool = False
    compact: bool = False
    hidden: frozenset[str] = frozenset()
    engines: int = 0
    has_stack: bool = True
    engine_rows: int = 0


def layout_inputs(snapshot: Snapshot, options: DrawOptions) -> LayoutInputs:
    """The layout's inputs from one snapshot and what the user has chosen."""
    groups = {e.group or "" for e in snapshot.engines}
    return LayoutInputs(
        gpu_rows=_EXPECTED if waiting(snapshot) else len(snapshot.gpus),
        empty=empty(snapshot),
        compact=options.compact,
        hidden=options.hidden,
        engines=len(snapshot.engines),
        has_stack=has_stack(snapshot) or not snapshot.engines,
        engine_rows=len(snapshot.engines) + len(groups if any(groups) else ()),
    )


def has_stack(snapshot: Snapshot) -> bool:
    """True where the seven-service stack is not off, and answers, has answered or is configured.

    A base cost before any of its answers exists only where it, or a price, is configured.
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
    """The services to show beside the engines: none where there are engines and no stack."""
    rows = tuple(s for s in snapshot.services if s.kind != "nvml")
    if snapshot.engines:
        return tuple(s for s in rows if s.kind == "aither") if has_stack(snapshot) else ()
    return rows or tuple(Service(name, "aither") for name, _ in snapshot.services_online)


def driver(snapshot: Snapshot) -> Service | None:
    """The row of the NVML driver, where it is polled."""
    return next((s for s in snapshot.services if s.kind == "nvml"), None)


def waiting(snapshot: Snapshot) -> bool:
    """True before the first answer, good or bad, of any source."""
    return snapshot.data_age_s is None and not any(map(answered, snapshot.services))


def answered(service: Service) -> bool:
    """True where a source has answered or failed at least once, or is switched off."""
    return service.error is not None or service.age_s is not None or service.state == "off"


def empty(snapshot: Snapshot) -> bool:
    """True where every source was polled and none has ever answered."""
    if snapshot.data_age_s is not None or snapshot.gpus or not snapshot.services:
        return False
    return all(map(answered, snapshot.services))


def online(snapshot: Snapshot) -> tuple[int, int]:
    """Of the seven services: those online, and all."""
    states = [up for _, up in snapshot.services_online]
    return sum(states), len(states)


def engines_online(snapshot: Snapshot) -> tuple[int, int]:
    """Engines online, and all; the Prometheus server that reports them is not counted."""
    serving = [e for e in snapshot.engines if e.kind != "prometheus"]
    return sum(e.state == "online" for e in serving), len(serving)
