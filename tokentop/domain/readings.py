"""Readings: what one good answer of one source contains, in our units; Failure: why there is none.

Every reading carries `bad`: the names of fields that held something unusable (NaN, a negative
size, text for a number). Such a field is None here and keeps its last good value when readings
are merged; a clamped field keeps its clamped value and is named as well.
"""

from tokentop.domain.reasons import FailureKind
from tokentop.domain.snapshot import GpuState, Process
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple

if TYPE_CHECKING:  # only the GPU page has any
    from tokentop.domain.gpu_detail import GpuDetail, ThrottleReason


class Failure(NamedTuple):
    """Why a source gave no reading, as one safe sentence; a `neutral` one trips no breaker."""

    kind: FailureKind
    text: str
    neutral: bool = False
    status: int | None = None


class QueueReading(NamedTuple):
    """Rows 1, 3, 4 and 5: the LLM queue and slots, from genesis and microscheduler."""

    queued: int | None = None
    active: int | None = None
    max_slots: int | None = None
    models: tuple[str, ...] | None = None
    back_pressure: bool | None = None
    vram_used_bytes: int | None = None
    vram_total_bytes: int | None = None
    bad: tuple[str, ...] = ()


class AgentsReading(NamedTuple):
    """Row 2."""

    online: int | None = None
    active: int | None = None
    bad: tuple[str, ...] = ()


class VramReading(NamedTuple):
    """Row 6: microscheduler's own VRAM account."""

    total_bytes: int | None = None
    allocated_bytes: int | None = None
    active_agents: int | None = None
    bad: tuple[str, ...] = ()


class DeviceReading(NamedTuple):
    """One GPU as NVML, accel or compute describes it; see snapshot.Gpu for the fields.

    `age_s` is how old its figures were when the answer came, None where they came with it.
    `xids` are (code, monotonic second) of the driver's errors, the oldest first.
    """

    index: int | None = None  # type: ignore[assignment]  # the public key; tuple.index is not used
    uuid: str | None = None
    name: str | None = None
    node: str | None = None
    vram_used_bytes: int | None = None
    vram_total_bytes: int | None = None
    utilization: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    mig: str | None = None
    memory_shared: bool = False
    processes: tuple[Process, ...] | None = None
    state: GpuState = "ok"
    note: str | None = None
    bad: tuple[str, ...] = ()
    mig_gi: int | None = None
    mig_ci: int | None = None
    mig_slot: int | None = None
    age_s: float | None = None
    throttle: "tuple[ThrottleReason, ...] | None" = None
    xids: tuple[tuple[int, float], ...] = ()
    detail: "GpuDetail | None" = None
    slowdown_c: float | None = None


class GpusReading(NamedTuple):
    """Rows 7 and 10, and the local driver (`driver_version` is known there only)."""

    devices: tuple[DeviceReading, ...] = ()
    driver_version: str | None = None
    bad: tuple[str, ...] = ()


class InstanceReading(NamedTuple):
    """One rented instance, of row 8 or of a provider."""

    id: str | None = None
    gpu: str | None = None
    region: str | None = None
    status: str | None = None
    model: str | None = None
    usd_per_hour: float | None = None
    bad: tuple[str, ...] = ()
    provider: str | None = None


class InstancesReading(NamedTuple):
    """Row 8, or a provider's list."""

    instances: tuple[InstanceReading, ...] = ()
    bad: tuple[str, ...] = ()


class Offer(NamedTuple):
    """One offer of row 9, or of a provider: one GPU."""

    id: str | None = None
    gpu: str | None = None
    vram_bytes: int | None = None
    region: str | None = None
    provider: str | None = None
    usd_per_hour: float | None = None
    bad: tuple[str, ...] = ()


class OffersReading(NamedTuple):
    """Row 9, or a provider's list."""

    offers: tuple[Offer, ...] = ()
    bad: tuple[str, ...] = ()


class AccelReading(NamedTuple):
    """Row 11: an answer at all, which is what counts for the service's state."""

    bad: tuple[str, ...] = ()


class StreamsReading(NamedTuple):
    """Row 12."""

    active_streams: int | None = None
    max_streams: int | None = None
    completed_total: int | None = None
    bad: tuple[str, ...] = ()


class PoolReading(NamedTuple):
    """Row 13, in tokens."""

    supply: float | None = None
    circulation: float | None = None
    balance: float | None = None
    bad: tuple[str, ...] = ()


class RatesReading(NamedTuple):
    """Row 14."""

    base_cost_tokens: float | None = None
    tokens_per_usd: float | None = None
    gpu_tokens_per_hour: float | None = None
    bad: tuple[str, ...] = ()


class PressureReading(NamedTuple):
    """Row 15: ACTA's compute pressure 0-1, with its own multiplier where it gives one."""

    pressure: float | None = None
    multiplier: float | None = None
    back_pressure: bool | None = None
    bad: tuple[str, ...] = ()


Reading = (
    QueueReading
    | AgentsReading
    | VramReading
    | GpusReading
    | InstancesReading
    | OffersReading
    | AccelReading
    | StreamsReading
    | PoolReading
    | RatesReading
    | PressureReading
)
