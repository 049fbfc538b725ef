"""GPU exporters' series -> devices: DCGM (MiB, per cent, sentinels) and nvidia_gpu_exporter."""

from collections.abc import Iterable

from tokentop.domain.readings import DeviceReading
from tokentop.sources.json_fields import MIB, as_count
from tokentop.sources.prometheus.answers import Row
from tokentop.sources.prometheus.targets import shown

BLANK = 2147483632.0  # DCGM writes "not supported" as the largest numbers of each type
NO_UUID = "00000000-0000-0000-0000-000000000000"  # anonymised: every GPU has the same
MAX_DEVICES = 20_000
FIELDS = {
    "DCGM_FI_DEV_FB_USED": "used", "DCGM_FI_DEV_FB_FREE": "free", "DCGM_FI_DEV_FB_TOTAL": "total",
    "DCGM_FI_DEV_FB_RESERVED": "reserved", "DCGM_FI_DEV_GPU_UTIL": "percent",
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": "active", "DCGM_FI_DEV_GPU_TEMP": "celsius",
    "DCGM_FI_DEV_POWER_USAGE": "watts", "DCGM_FI_DEV_POWER_MGMT_LIMIT": "limit",
    "dcgm_fb_used": "used", "dcgm_fb_free": "free", "dcgm_gpu_utilization": "percent",
    "dcgm_gpu_temp": "celsius", "dcgm_power_usage": "watts",
    "nvidia_smi_memory_used_bytes": "used_b", "nvidia_smi_memory_total_bytes": "total_b",
    "nvidia_smi_utilization_gpu_ratio": "active", "nvidia_smi_temperature_gpu": "celsius",
    "nvidia_smi_power_draw_watts": "watts", "nvidia_smi_enforced_power_limit_watts": "limit",
    "nvidia_smi_gpu_info": "info",
}  # fmt: skip

Seen = tuple[dict[str, str], dict[str, float]]  # labels of all its rows, figures by field


def devices(rows: Iterable[Row]) -> tuple[DeviceReading, ...]:
    """One device for each UUID (and MIG instance), whichever exporter has it."""
    found: dict[tuple[str, ...], Seen] = {}
    for labels, value, _ in rows:
        name = labels.get("__name__", "")
        field = FIELDS.get(name)
        if field is None or (value >= BLANK and not name.startswith("nvidia_smi")):
            continue
        key = _key(labels)
        if key not in found and len(found) >= MAX_DEVICES:
            continue
        seen, figures = found.setdefault(key, ({}, {}))
        seen.update(labels)
        figures[field] = max(figures.get(field, value), value)
    return tuple(_device(seen, figures) for seen, figures in found.values() if len(figures) > 0)


def _key(labels: dict[str, str]) -> tuple[str, ...]:
    uuid = _uuid(labels)
    if uuid:
        return uuid.casefold(), labels.get("GPU_I_ID", "")
    place = labels.get("Hostname") or labels.get("instance", "")
    return place, labels.get("gpu", ""), labels.get("GPU_I_ID", "")


def _uuid(labels: dict[str, str]) -> str:
    """With the prefix that nvidia_gpu_exporter leaves out; one UUID is one GPU to all exporters."""
    uuid = labels.get("UUID") or labels.get("uuid", "")
    if not uuid or uuid.endswith(NO_UUID):
        return ""
    return uuid if uuid[:4] in ("GPU-", "MIG-") else f"GPU-{uuid}"


def _device(labels: dict[str, str], figures: dict[str, float]) -> DeviceReading:
    uuid, instance = shown(_uuid(labels)), labels.get("GPU_I_ID")
    used, total = _memory(figures)
    name = shown(labels.get("modelName") or labels.get("name", ""))
    if instance:
        name = shown(f"{name or 'GPU'} MIG {labels.get('GPU_I_PROFILE', '')}")
    return DeviceReading(
        index=as_count(labels.get("gpu") or labels.get("index")),
        uuid=f"MIG-{uuid}/{shown(instance)}" if instance and uuid else uuid,
        name=name,
        node=shown(labels.get("Hostname") or _host(labels.get("instance", ""))),
        vram_used_bytes=used,
        vram_total_bytes=total,
        utilization=_utilization(figures),
        temperature_c=figures.get("celsius"),
        power_w=_positive(figures.get("watts")),
        power_limit_w=_positive(figures.get("limit")),
        mig=uuid if instance else None,
    )


def _memory(figures: dict[str, float]) -> tuple[int | None, int | None]:
    """Used and total bytes. DCGM has no total by default: it is used + free (+ reserved)."""
    if "used_b" in figures or "total_b" in figures:
        return _bytes(figures.get("used_b"), 1), _bytes(figures.get("total_b"), 1)
    used, free, total = figures.get("used"), figures.get("free"), figures.get("total")
    if total is None and used is not None and free is not None:
        total = used + free + figures.get("reserved", 0.0)
    return _bytes(used, MIB), _bytes(total, MIB)


def _utilization(figures: dict[str, float]) -> float | None:
    percent = figures.get("percent")
    value = figures.get("active") if percent is None else percent / 100.0
    return None if value is None or not 0.0 <= value <= 1.0 else value


def _bytes(value: float | None, unit: int) -> int | None:
    return None if value is None or value < 0 else int(value * unit)


def _positive(value: float | None) -> float | None:
    return None if value is None or value < 0 else value


def _host(instance: str) -> str:
    host, colon, port = instance.rpartition(":")
    return host if colon and port.isdigit() else instance
