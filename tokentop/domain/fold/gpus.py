"""One list of GPUs out of several views: this host's NVML, Accel, Compute, then a fleet's."""

from collections.abc import Iterator

from tokentop.domain.fold.inputs import FoldInput, is_recent
from tokentop.domain.fold.last_good import FIGURES, LastGood, device_key, plain_uuid
from tokentop.domain.gpu_pool import OUT_OF_SERVICE
from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.domain.snapshot import Gpu, GpuState
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:
    from tokentop.domain.gpu_detail import Xid

SOURCES = (
    ("accel", "accel/gpu_metrics"),
    ("compute", "compute/gpu_devices"),
    ("prometheus", "prometheus/gpus"),
)

_MIG = ("mig", "mig_gi", "mig_ci", "mig_slot")
_IDENTITY = ("index", "uuid", "name", "node", "vram_total_bytes", "slowdown_c", *_MIG)


class DeviceObservation(NamedTuple):
    """One device as one source sees it; `fresh` is what its latest answer holds."""

    source: str
    device: DeviceReading
    fresh: bool
    age_s: float | None


def gpus(inp: FoldInput) -> tuple[Gpu, ...]:
    """Every GPU once, MIG instances directly after their parent."""
    return _family_order(
        [_gpu(views, inp.now) for views in _grouped(_device_observations(inp), inp.host)], inp.host
    )


def _device_observations(inp: FoldInput) -> list[DeviceObservation]:
    """All devices of all sources, the answering sources first, each in order of preference."""
    sources = [("nvml", inp.nvml)] if inp.nvml_enabled else []
    sources += [(name, inp.held[key]) for name, key in SOURCES if key in inp.held]
    views = [view for name, held in sources for view in _source_views(name, held, inp)]
    return sorted(views, key=lambda view: not view.fresh)


def _source_views(name: str, held: LastGood, inp: FoldInput) -> Iterator[DeviceObservation]:
    if not isinstance(held.good, GpusReading):
        return
    seen = dict(held.seen)
    for device in held.good.devices:
        at = seen.get(device_key(device))
        age_s = None if at is None else max(0.0, inp.now - at)
        if name == "nvml" and device.node is None and inp.host:
            device = device._replace(node=inp.host)
        yield DeviceObservation(name, device, _is_fresh(device, age_s, held, inp), age_s)


def _is_fresh(device: DeviceReading, age_s: float | None, held: LastGood, inp: FoldInput) -> bool:
    """A GPU that is lost has no figures of now; that it is lost is of now."""
    if device.state in OUT_OF_SERVICE:
        return held.outcome == "ok" or _every_gpu_lost(held)
    return held.outcome == "ok" and is_recent(age_s, held, inp)


def _every_gpu_lost(held: LastGood) -> bool:
    return isinstance(held.outcome, Failure) and held.outcome.kind == "gpu-lost"


def _grouped(views: list[DeviceObservation], host: str) -> list[list[DeviceObservation]]:
    """Views of the same GPU together, the preferred one first."""
    groups: list[list[DeviceObservation]] = []
    found: dict[tuple[object, ...], list[DeviceObservation]] = {}
    for view in views:
        keys = list(_keys(view, host))
        group = next((found[key] for key in keys if key in found), None)
        if group is None or not _same(group, view):
            group = []
            groups.append(group)
        if view.source not in {other.source for other in group}:
            group.append(view)
        for key in keys:
            found.setdefault(key, group)
    return groups


def _keys(view: DeviceObservation, host: str) -> Iterator[tuple[object, ...]]:
    device = view.device
    if device.uuid is not None:
        yield ("uuid", plain_uuid(device.uuid))
    if device.index is not None:
        if device.node is not None:
            yield ("node", device.node.casefold(), *_place(device))
        if device.node is None or device.node == host:
            yield ("somewhere", *_place(device))


def _place(device: DeviceReading) -> tuple[object, ...]:
    return device.mig, device.mig_slot, device.index


def _same(group: list[DeviceObservation], view: DeviceObservation) -> bool:
    """UUIDs decide; without them the place does, unless the names speak against it."""
    for other in group:
        ours, theirs = other.device, view.device
        if ours.uuid is not None and theirs.uuid is not None:
            if plain_uuid(ours.uuid) != plain_uuid(theirs.uuid):
                return False
        elif other.source == view.source or not _names_agree(ours.name, theirs.name):
            return False
    return True


def _names_agree(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return True
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return short in long  # "H200" and "NVIDIA H200"


def _gpu(views: list[DeviceObservation], now: float) -> Gpu:
    """The preferred view, its gaps filled from the others; figures only where it can have any."""
    first = views[0]
    device = first.device
    fillable = (*_IDENTITY, *FIGURES) if device.state == "ok" else _IDENTITY
    values = {name: getattr(device, name) for name in (*_IDENTITY, *FIGURES)}
    for name in fillable:
        if values[name] is None and name not in _reserved(device):
            others = (getattr(view.device, name) for view in views[1:])
            values[name] = next((value for value in others if value is not None), None)
    return _within_total(
        Gpu(
            **values,
            memory_shared=device.memory_shared,
            source=first.source,
            age_s=first.age_s,
            state=_state(first),
            note=device.note,
            throttle=device.throttle,
            xids=_xids(device, now) if device.xids else (),
            detail=device.detail,
        )
    )


def _xids(device: DeviceReading, now: float) -> "tuple[Xid, ...]":
    from tokentop.domain.gpu_detail import Xid

    return tuple(Xid(code, max(0.0, now - at)) for code, at in device.xids)


def _reserved(device: DeviceReading) -> tuple[str, ...]:
    """A unified-memory GPU has no VRAM of its own, whatever another source makes of it."""
    return ("vram_used_bytes", "vram_total_bytes") if device.memory_shared else ()


def _state(view: DeviceObservation) -> GpuState:
    if view.device.state != "ok":
        return view.device.state
    return "ok" if view.fresh else "stale"


def _within_total(gpu: Gpu) -> Gpu:
    used, total = gpu.vram_used_bytes, gpu.vram_total_bytes
    if used is None or total is None or used <= total:
        return gpu
    return gpu._replace(vram_used_bytes=total)


def _family_order(pool: list[Gpu], host: str) -> tuple[Gpu, ...]:
    """This host's GPUs first, by node and index; MIG instances by slot after their parent."""

    def place(gpu: Gpu) -> tuple[bool, str, bool, int, int, str]:
        node = gpu.node or ""
        slot = -1 if gpu.mig_slot is None else gpu.mig_slot
        return node != host, node, gpu.index is None, gpu.index or 0, slot, gpu.uuid or ""

    pool = sorted(pool, key=place)
    children: dict[str, list[Gpu]] = {}
    for gpu in pool:
        if gpu.mig is not None:
            children.setdefault(plain_uuid(gpu.mig), []).append(gpu)
    ordered: list[Gpu] = []
    for gpu in pool:
        if gpu.mig is None:
            ordered += [gpu, *children.pop(plain_uuid(gpu.uuid or ""), [])]
    return (*ordered, *(orphan for orphans in children.values() for orphan in orphans))
