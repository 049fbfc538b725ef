"""What the GPU page shows beyond the dashboard: of one GPU, and of one process on it.

None is "the driver would not say", as everywhere. Apart from the snapshot, because only the full
screen's GPU page asks for it.
"""

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

ThrottleReason = Literal[
    "power-cap",
    "hw-slowdown",
    "hw-thermal",
    "sw-thermal",
    "power-brake",
    "sync-boost",
    "app-clocks",
    "display-clocks",
]
# These take speed away against the operator's will; the others were set by somebody.
SLOWING: tuple[ThrottleReason, ...] = (
    "power-cap",
    "hw-slowdown",
    "hw-thermal",
    "sw-thermal",
    "power-brake",
)


class Xid(NamedTuple):
    """One Xid error that the driver reported since tokentop started, and how long ago."""

    code: int
    age_s: float


class GpuDetail(NamedTuple):
    """Clocks in MHz, throughput in bytes/s, the fan 0-1; ECC errors since the driver was loaded.

    `pcie_*` is what the link runs at now: an idle GPU lowers the generation to save power.
    """

    pstate: int | None = None
    fan: float | None = None
    sm_mhz: int | None = None
    sm_max_mhz: int | None = None
    memory_mhz: int | None = None
    memory_max_mhz: int | None = None
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    pcie_rx_bytes_per_s: float | None = None
    pcie_tx_bytes_per_s: float | None = None
    nvlink_rx_bytes_per_s: float | None = None
    nvlink_tx_bytes_per_s: float | None = None
    ecc_corrected: int | None = None
    ecc_uncorrected: int | None = None


class ProcessDetail(NamedTuple):
    """`sm` is 0-1 of the GPU, `cpu` 1.0 for one busy core; `memory_bytes` is resident memory.

    `started` is in clock ticks since the boot: with the pid it names the process. `command` is
    safe to show: one line, without credentials.
    """

    sm: float | None = None
    cpu: float | None = None
    memory_bytes: int | None = None
    age_s: float | None = None
    command: str | None = None
    started: int | None = None
