"""What the layout and the absent faces need to know about a snapshot, as plain answers."""

from typing import NamedTuple

from tokentop.domain.model import Service, Snapshot
from tokentop.domain.text import DASH, clean, fmt_usd
from tokentop.views.tui.draw.line import Look

_EXPECTED = 8  # rows kept for GPUs before the first answer, so that the screen does not jump


class Facts(NamedTuple):
    """What arrange() depends on; it changes rarely, so that nothing jumps from poll to poll."""

    gpu_rows: int = 0
    services: int = 7
    instances: int = 0
    empty: bool = False
    compact: bool = False
    hidden: frozenset[str] = frozenset()


def facts(snapshot: Snapshot, look: Look) -> Facts:
    """The layout's facts about one snapshot."""
    return Facts(
        gpu_rows=_EXPECTED if waiting(snapshot) else len(snapshot.gpus),
        services=len(stack(snapshot)),
        instances=len(snapshot.cloud.instances or ()),
        empty=empty(snapshot),
        compact=look.compact,
        hidden=look.hidden,
    )


def stack(snapshot: Snapshot) -> tuple[Service, ...]:
    """The services of the strip: the seven, and engines or anything else asked, less the driver."""
    rows = tuple(s for s in snapshot.services if s.kind != "nvml")
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


def offer(snapshot: Snapshot) -> str:
    """The next instance in words: `RTX 4090 · US-East`, or what the default stands for."""
    nxt = snapshot.capacity.next_instance
    if nxt.source == "default":
        return "a cloud GPU"
    words = [clean(part, 24) for part in (nxt.gpu, nxt.region) if part]
    return " · ".join(words) or DASH


def per_hour(usd: float | None) -> str:
    """USD per hour: `$0.42/h`."""
    return DASH if usd is None else f"{fmt_usd(usd)}/h"
