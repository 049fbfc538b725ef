"""What the fifteen endpoints' answers mean: bytes -> Reading, or BadData and nothing else.

The field names assumed by us are read as tolerantly as the published ones: aliases, numbers as
text, lists bare or wrapped. A refused field is None (or clamped) and named in `bad`.
"""

from tokentop.domain.readings import (
    AccelReading,
    AgentsReading,
    DeviceReading,
    GpusReading,
    InstanceReading,
    InstancesReading,
    Offer,
    OffersReading,
    PoolReading,
    PressureReading,
    QueueReading,
    RatesReading,
    StreamsReading,
    VramReading,
)
from tokentop.sources.json_fields import (
    BadData,
    Fields,
    as_text,
    load,
    mapping,
    objects,
    rows,
)

MODELS = 256
_AT_WORK = ("active", "busy", "working", "running", "processing", "executing")
_AWAY = ("offline", "stopped", "dead", "down", "disabled", "terminated", "failed", "inactive")
_UTILIZATION = ("utilization", "utilization_percent", "gpu_utilization", "utilization_gpu")


def parse_queue(body: bytes) -> QueueReading:
    """Rows 1, 3, 4 and 5: one vocabulary, because each row is an older or newer dialect of it."""
    f = Fields(mapping(load(body)))
    used = f.size_mb("vram_used_bytes", "vram_used_mb")
    free = f.size_mb("vram_total_bytes", "vram_available_mb")
    total = f.size_mb("vram_total_bytes", "vram_total_mb")
    if total is None and used is not None and free is not None:
        total = used + free
    return QueueReading(
        queued=f.count("queued", "queued", "pending_tasks", "queue_depth", "pending"),
        active=f.count(
            "active", "processing", "running_tasks", "processing_count", "active_slots", "active"
        ),
        max_slots=f.count("max_slots", "max_slots", "max"),
        models=f.names("models", "models_loaded", "models", limit=MODELS),
        back_pressure=f.boolean("back_pressure", "back_pressure", "backpressure"),
        vram_used_bytes=f.clamp("vram_used_bytes", used, total),
        vram_total_bytes=total,
        bad=f.bad,
    )


def parse_agents(body: bytes) -> AgentsReading:
    """Row 2: agents on the roster and those not away; `active` is None where none has a status."""
    document = load(body)
    if isinstance(document, dict) and not {"agents", "roster"} & document.keys():
        f = Fields(document)
        online = f.count("online", "online", "total", "count")
        if online is None and not f.bad:
            raise BadData("the answer holds no list called agents or roster")
        return AgentsReading(online, f.count("active"), f.bad)
    roster = rows(document, "agents", "roster")
    words = [
        (as_text(agent.get("status")) or "").lower() if isinstance(agent, dict) else ""
        for agent in roster
    ]
    active = sum(word in _AT_WORK for word in words) if any(words) else None
    return AgentsReading(sum(word not in _AWAY for word in words), active)


def parse_vram(body: bytes) -> VramReading:
    """Row 6."""
    f = Fields(mapping(load(body)))
    total = f.size_mb("total_bytes", "total_vram_mb", "total_mb")
    return VramReading(
        total_bytes=total,
        allocated_bytes=f.clamp(
            "allocated_bytes", f.size_mb("allocated_bytes", "allocated_mb"), total
        ),
        active_agents=f.count_or_size("active_agents"),
        bad=f.bad,
    )


def parse_gpus(body: bytes) -> GpusReading:
    """Rows 7 and 10. Utilisation is per cent, or 0-1 where the whole answer shows it must be."""
    listed, bad = objects(load(body), "devices", "gpus", "metrics", name="devices")
    raw = [Fields(row).amount("utilization", *_UTILIZATION) for row in listed]
    known = [value for value in raw if value is not None]
    # A percentage comes whole from the driver: fractions that never pass 1 are ratios.
    is_ratio = any(0.0 < value < 1.0 for value in known) and max(known) <= 1.0
    devices = tuple(_device(Fields(row), 1.0 if is_ratio else 100.0) for row in listed)
    return GpusReading(devices, bad=bad)


def _device(f: Fields, full: float) -> DeviceReading:
    # A total of 0 means "no framebuffer" with some drivers: unknown, not a full GPU.
    total = f.size_mb("vram_total_bytes", "vram_total_mb", "memory_total_mb") or None
    used = f.size_mb("vram_used_bytes", "vram_used_mb", "memory_used_mb")
    utilization = f.amount("utilization", *_UTILIZATION)
    if utilization is not None and utilization > full:
        f.mark("utilization")
        utilization = full
    return DeviceReading(
        index=f.count("index", "index", "gpu_index"),
        uuid=f.text("uuid"),
        name=f.text("name", "name", "gpu_model"),
        node=f.text("node", "node", "host", "hostname"),
        vram_used_bytes=f.clamp("vram_used_bytes", used, total),
        vram_total_bytes=total,
        utilization=None if utilization is None else utilization / full,
        temperature_c=f.number("temperature_c", "temperature_c", "temperature"),
        power_w=f.amount("power_w", "power_w", "power_watts"),
        power_limit_w=f.amount("power_limit_w"),
        mig=f.text("mig", "parent_uuid", "mig_parent"),
        bad=f.bad,
    )


def parse_instances(body: bytes) -> InstancesReading:
    """Row 8."""
    listed, bad = objects(load(body), "instances", "running", name="instances")
    return InstancesReading(tuple(_instance(Fields(row)) for row in listed), bad)


def _instance(f: Fields) -> InstanceReading:
    return InstanceReading(
        id=f.text("id", "session_id", "instance_id", "id"),
        gpu=f.text("gpu", "gpu_model", "gpu"),
        region=f.text("region"),
        status=f.text("status", "phase", "status"),
        model=f.text("model", "served_name", "model"),
        usd_per_hour=f.amount("usd_per_hour", "price_per_hour", "usd_per_hour"),
        bad=f.bad,
    )


def parse_offers(body: bytes) -> OffersReading:
    """Row 9."""
    listed, bad = objects(load(body), "offers", name="offers")
    return OffersReading(tuple(_offer(Fields(row)) for row in listed), bad)


def _offer(f: Fields) -> Offer:
    return Offer(
        id=f.text("id", "offer_id", "id"),
        gpu=f.text("gpu", "gpu_model", "gpu"),
        vram_bytes=f.size_gb("vram_bytes", "vram_gb"),
        region=f.text("region"),
        provider=f.text("provider"),
        usd_per_hour=f.amount("usd_per_hour", "price_per_hour", "usd_per_hour"),
        bad=f.bad,
    )


def parse_accel(body: bytes) -> AccelReading:
    """Row 11."""
    mapping(load(body))
    return AccelReading()


def parse_streams(body: bytes) -> StreamsReading:
    """Row 12."""
    f = Fields(mapping(load(body)))
    return StreamsReading(
        active_streams=f.count_or_size("active_streams"),
        max_streams=f.count("max_streams"),
        completed_total=f.count("completed_total", "completed_total", "completed"),
        bad=f.bad,
    )


def parse_pool(body: bytes) -> PoolReading:
    """Row 13. A balance may be overdrawn, so it alone may be negative."""
    f = Fields(mapping(load(body)))
    return PoolReading(
        supply=f.amount("supply", "supply", "total_supply"),
        circulation=f.amount("circulation", "circulation", "circulating"),
        balance=f.number("balance", "balance", "pool_balance"),
        bad=f.bad,
    )


def parse_rates(body: bytes) -> RatesReading:
    """Row 14."""
    f = Fields(mapping(load(body)))
    return RatesReading(
        base_cost_tokens=f.amount("base_cost_tokens", "base_cost", "base_cost_tokens"),
        tokens_per_usd=f.amount("tokens_per_usd"),
        gpu_tokens_per_hour=f.amount("gpu_tokens_per_hour"),
        bad=f.bad,
    )


def parse_pressure(body: bytes) -> PressureReading:
    """Row 15."""
    f = Fields(mapping(load(body)))
    return PressureReading(
        pressure=f.ratio("pressure", "pressure", "compute_pressure"),
        multiplier=f.amount("multiplier"),
        back_pressure=f.boolean("back_pressure", "back_pressure", "backpressure"),
        bad=f.bad,
    )
