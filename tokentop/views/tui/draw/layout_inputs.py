"""What the layout depends on, and the questions about a snapshot that several panels share."""

from tokentop.domain.presence import Presence, has_stack, presence, rents
from tokentop.domain.snapshot import Service, Snapshot
from tokentop.named_tuple import NamedTuple
from tokentop.views.tui.draw.kit.line import DrawOptions

_EXPECTED = 8  # rows for GPUs before the first answer, so that the screen does not jump


class LayoutInputs(NamedTuple):
    """What the layout depends on; it changes rarely, so that nothing jumps from poll to poll.

    `gpu_rows` is 0 on a box without GPUs, and 1 where a silent driver is the reason; `engine_rows`
    counts the headings of groups as well; `waiting`: nothing has answered yet.
    """

    gpu_rows: int = 0
    presence: Presence = "stack"
    compact: bool = False
    hidden: frozenset[str] = frozenset()
    engines: int = 0
    engine_rows: int = 0
    process_rows: int = 0
    waiting: bool = False
    rents: bool = False


def layout_inputs(snapshot: Snapshot, options: DrawOptions) -> LayoutInputs:
    """The layout's inputs from one snapshot and what the user has chosen."""
    groups = {e.group or "" for e in snapshot.engines}
    found, before = presence(snapshot), waiting(snapshot)
    known = len(snapshot.gpus) or int(driver_trouble(snapshot) is not None)
    return LayoutInputs(
        gpu_rows=_EXPECTED if before else known,
        presence="gpus" if found == "nothing" and before else found,
        compact=options.compact,
        hidden=options.hidden,
        engines=len(snapshot.engines),
        engine_rows=len(snapshot.engines) + len(groups if any(groups) else ()),
        process_rows=sum(len(gpu.processes or ()) for gpu in snapshot.gpus),
        waiting=before,
        rents=rents(snapshot),
    )


def stack(snapshot: Snapshot) -> tuple[Service, ...]:
    """The seven services, where they are here at all."""
    if not has_stack(snapshot):
        return ()
    return tuple(one for one in snapshot.services if one.kind == "aither")


def driver(snapshot: Snapshot) -> Service | None:
    """The row of the NVML driver, where it is polled."""
    return next((s for s in snapshot.services if s.kind == "nvml"), None)


def driver_trouble(snapshot: Snapshot) -> Service | None:
    """The driver's row where it is silent or slow; not on a box that never had one."""
    found = driver(snapshot)
    if found is None or not answered(found) or found.state == "off":
        return None
    if found.state == "online":
        return found if found.error else None
    return found if found.member or found.reason != "absent" else None


def waiting(snapshot: Snapshot) -> bool:
    """True before the first answer, good or bad, of any source."""
    return snapshot.data_age_s is None and not any(map(answered, snapshot.services))


def answered(service: Service) -> bool:
    """True where a source has answered or failed at least once, or is switched off."""
    return service.error is not None or service.age_s is not None or service.state == "off"


def online(snapshot: Snapshot) -> tuple[int, int]:
    """Of the seven services: those online, and all."""
    states = [up for _, up in snapshot.services_online]
    return sum(states), len(states)


def none_serves(snapshot: Snapshot) -> bool:
    """True where engines are known and none of them answers: what they reported is of before."""
    up, known = engines_online(snapshot)
    return known > 0 == up


def engines_online(snapshot: Snapshot) -> tuple[int, int]:
    """Engines online, and all; the Prometheus server that reports them is not counted."""
    serving = [e for e in snapshot.engines if e.kind != "prometheus"]
    return sum(e.state == "online" for e in serving), len(serving)
