"""Which GPUs there are, and what was known of those that went away."""

from collections.abc import Iterable

from tokentop.domain.readings import DeviceReading
from tokentop.named_tuple import NamedTuple
from tokentop.transport.nvml.device import Device
from tokentop.transport.nvml.driver import Nvml
from tokentop.transport.nvml.power_state import PowerState

_SUSPENDED = "suspended by runtime power management; not woken"
_MISSING = "no longer listed by the driver: see dmesg, reset or reboot"


class _Known(NamedTuple):
    """A GPU as it was last read, its MIG instances behind it."""

    readings: tuple[DeviceReading, ...]
    bus_id: str | None


class DeviceTable:
    """The GPUs of one machine over all the times that NVML is started."""

    def __init__(self) -> None:
        self._devices: dict[int | str, Device] = {}
        self._known: dict[str, _Known] = {}  # by UUID
        self._count: int | None = None
        self._by_address = False

    def forget_handles(self) -> None:
        """After NVML was shut down: handles are void, what was learned of the GPUs is not."""
        self._devices, self._count = {}, None

    @property
    def has_all_handles(self) -> bool:
        """Whether `awake` makes no call; where a GPU sleeps, each may have to be found again."""
        return not self._by_address and self._count == len(self._devices)

    def awake(self, nvml: Nvml, power: PowerState) -> tuple[Device, ...]:
        """The GPUs that may be read, never a sleeping one; raises NvmlError.

        While a GPU sleeps, GPUs are found by address: asking for an index would wake the one it is.
        """
        if self._count is None:
            self._by_address = bool(power.asleep)
            self._count = 0 if self._by_address else int(nvml.call("nvmlDeviceGetCount"))
        places = power.awake if self._by_address else range(self._count)
        for place in places:
            if place not in self._devices:
                self._devices[place] = Device(nvml, place, self._readings(place))
        return tuple(d for d in self._devices.values() if d.bus_id not in power.asleep)

    def learn(self, device: Device) -> None:
        """Remember what a GPU that was read says of itself."""
        if device.facts.uuid is not None:
            facts = device.without_figures("lost", None)
            self._known[device.facts.uuid] = _Known(tuple(facts), device.bus_id)

    def asleep(self, power: PowerState) -> list[DeviceReading]:
        """The sleeping GPUs, with the facts read while they were awake."""
        return [
            self._readings(address)[0]._replace(state="suspended", note=_SUSPENDED)
            for address in power.asleep
        ]

    def missing(self, listed: Iterable[DeviceReading]) -> list[DeviceReading]:
        """The GPUs that were here and are not among those listed now."""
        wholes = [reading for reading in listed if reading.mig is None]
        if any(reading.uuid is None for reading in wholes):
            return []  # the one without a UUID may be the one that seems missing
        present = {reading.uuid for reading in wholes}
        return [
            reading._replace(index=None, state="lost", note=_MISSING)
            for uuid, known in self._known.items()
            if uuid not in present
            for reading in known.readings
        ]

    def _readings(self, place: int | str) -> tuple[DeviceReading, ...]:
        """What is known of the GPU at an index or address, before it is read."""
        for known in self._known.values():
            if place == (known.bus_id if isinstance(place, str) else known.readings[0].index):
                return known.readings
        index = place if isinstance(place, int) else None
        return (DeviceReading(index=index, name=f"NVIDIA GPU {place}"),)
