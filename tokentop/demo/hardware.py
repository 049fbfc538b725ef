"""The simulated pool of eight GPUs: what the driver would say at a given pressure."""

from tokentop.demo.curve import clamp
from tokentop.demo.noise import drift, uniform
from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import Process
from tokentop.light_typing import Final
from tokentop.named_tuple import NamedTuple

MIB: Final = 2**20


class Card(NamedTuple):
    """One GPU model: VRAM in MiB, power in W."""

    name: str
    vram_mib: int
    idle_w: float
    limit_w: float


H200 = Card("NVIDIA H200", 143771, 76.0, 700.0)
RTX4090 = Card("NVIDIA GeForce RTX 4090", 24564, 22.0, 450.0)

# (card, how much fuller than the mean, (process, user), a smaller second process)
_Tenant = tuple[str, str]
_POOL: Final[tuple[tuple[Card, float, _Tenant, _Tenant | None], ...]] = (
    (H200, 0.05, ("vllm", "serve"), None),
    (H200, 0.03, ("vllm", "serve"), None),
    (H200, -0.02, ("vllm", "serve"), None),
    (H200, 0.01, ("vllm", "serve"), None),
    (H200, -0.05, ("sglang", "serve"), ("python3", "mira")),
    (H200, -0.04, ("sglang", "serve"), None),
    (RTX4090, 0.04, ("llama-server", "ana"), None),
    (RTX4090, -0.06, ("whisper-server", "serve"), ("jupyter", "ana")),
)


def devices_at(t: float, seed: int, pressure: float, node: str) -> tuple[DeviceReading, ...]:
    """All eight, whose VRAM adds up to about `pressure` of the total."""
    return tuple(_device(index, t, seed, pressure, node) for index in range(len(_POOL)))


def _device(index: int, t: float, seed: int, pressure: float, node: str) -> DeviceReading:
    card, lean, main, second = _POOL[index]
    room = 4 * pressure * (1 - pressure)  # nobody can be much fuller than full
    fill = clamp(pressure + lean * room + 0.006 * drift(seed, 10 + index, t), 0.004, 0.998)
    busy = clamp(0.97 * pressure + lean + 0.05 * drift(seed, 30 + index, t), 0.0, 1.0)
    used = int(card.vram_mib * fill) * MIB
    return DeviceReading(
        index=index,
        uuid=uuid(index),
        name=card.name,
        node=node,
        vram_used_bytes=used,
        vram_total_bytes=card.vram_mib * MIB,
        utilization=round(busy, 2),
        temperature_c=float(round(31 + 40 * busy + 2 * drift(seed, 50 + index, t))),
        power_w=float(round(card.idle_w + (card.limit_w - card.idle_w) * 0.9 * busy)),
        power_limit_w=card.limit_w,
        slowdown_c=88.0,
        processes=_processes(index, used, main, second),
    )


def _processes(index: int, used: int, main: _Tenant, second: _Tenant | None) -> tuple[Process, ...]:
    """Processes with nearly all of the used VRAM; the driver keeps the rest to itself."""
    share = 0.80 if second else 0.97
    found = [Process(41200 + 7 * index, *main, int(used * share))]
    if second:
        found.append(Process(52310 + 3 * index, *second, int(used * 0.17)))
    return tuple(found)


def uuid(index: int) -> str:
    """A GPU's UUID, the same in every run."""
    high, low = (int(uniform(7, index, part) * 2**64) for part in (0, 1))
    digits = f"{high:016x}{low:016x}"
    return f"GPU-{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
