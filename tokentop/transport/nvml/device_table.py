"""Which GPUs there are: handles got once, and what was known of those that went away."""

from typing import Any, NamedTuple

from tokentop.domain.readings import DeviceReading
from tokentop.transport.nvml.device import Device, Wanted
from tokentop.transport.nvml.driver import GONE, NOT_FOUND, UNINITIALIZED, Nvml, NvmlError
from tokentop.transport.nvml.power_state import PowerState
from tokentop.transport.nvml.processes import ProcessNames

_SUSPENDED = "suspended by runtime power management; not woken"
_MISSING = "no longer listed by the driver: see dmesg, reset or reboot"


class _Known(NamedTuple):
    facts: DeviceReading
    bus_id: str | None


class DeviceTable:
    """The GPUs of one machine over all the times that NVML is started."""

    def __init__(self) -> None:
        self.wanted = Wanted()
        self._devices: list[Device] = []
        self._refused: dict[int, int] = {}  # index -> why there is no handle
        self._refused_at: dict[str, int] = {}  # the same by address
        self._known: dict[str, _Known] = {}  # by UUID
        self._by_address = False
        self._found = False

    def forget_handles(self) -> None:
        """After NVML was shut down: handles are void, what was learned of the GPUs is not."""
        self._devices, self._refused, self._refused_at = [], {}, {}
        self._found = False

    def find(self, nvml: Nvml, power: PowerState, *, again: bool) -> None:
        """Get the handles that are missing, never a sleeping GPU's; `again` the refused ones too.

        While a GPU sleeps, GPUs are found by address: asking for an index would wake the one it is.
        """
        if not self._found:
            self._found, self._by_address = True, bool(power.asleep)
            if not self._by_address:
                for index in range(int(nvml.call("nvmlDeviceGetCount"))):
                    self._add_index(nvml, index)
        elif again and not power.asleep:
            for index in tuple(self._refused):
                self._add_index(nvml, index)
        if self._by_address:
            self._add_awake(nvml, power, again=again)

    def read(
        self, nvml: Nvml, power: PowerState, now: float, names: ProcessNames
    ) -> list[DeviceReading]:
        """A reading of every GPU: figures of those that are awake, the state of the others."""
        readings: list[DeviceReading] = []
        for device in self._devices:
            if device.bus_id is None or device.bus_id not in power.asleep:
                readings += self._read_one(device, now, names)
        readings += self._without_handle(nvml)
        readings += self.asleep(power)
        readings += self._missing({reading.uuid for reading in readings})
        return sorted(readings, key=lambda r: (r.index is None, r.index or 0, r.mig is not None))

    def asleep(self, power: PowerState) -> list[DeviceReading]:
        """The sleeping GPUs, with the facts read while they were awake."""
        return [
            self._at(address)._replace(state="suspended", note=_SUSPENDED)
            for address in power.asleep
        ]

    def _read_one(self, device: Device, now: float, names: ProcessNames) -> list[DeviceReading]:
        readings = device.read(now, names)
        facts = device.facts
        if facts.uuid is not None:
            self._known[facts.uuid] = _Known(facts, device.bus_id)
        elif readings[0].state == "lost" and facts.index is not None:
            return [self._by_index(facts.index)._replace(state="lost", note=readings[0].note)]
        return readings

    def _add_index(self, nvml: Nvml, index: int) -> None:
        self._refused.pop(index, None)
        handle = _handle(nvml, "nvmlDeviceGetHandleByIndex", index)
        if isinstance(handle, NvmlError):
            self._refused[index] = handle.code
        else:
            self._devices.append(Device(nvml, handle, index, self.wanted))

    def _add_awake(self, nvml: Nvml, power: PowerState, *, again: bool) -> None:
        has = {device.bus_id for device in self._devices}
        if not again:
            has |= self._refused_at.keys()
        for address in power.awake:
            if address in has:
                continue
            self._refused_at.pop(address, None)
            handle = _handle(nvml, "nvmlDeviceGetHandleByPciBusId", address)
            if isinstance(handle, NvmlError):
                self._refused_at[address] = handle.code
                continue
            device = Device(nvml, handle, _index(nvml, handle), self.wanted)
            device.bus_id = address
            self._devices.append(device)

    def _without_handle(self, nvml: Nvml) -> list[DeviceReading]:
        """GPUs that NVML lists but gives no handle for; an unknown address is another driver's."""
        found = [(self._by_index(index), code) for index, code in self._refused.items()]
        found += [
            (self._at(address), code)
            for address, code in self._refused_at.items()
            if code != NOT_FOUND
        ]
        return [
            facts._replace(state="lost" if code in GONE else "error", note=nvml.words(code))
            for facts, code in found
        ]

    def _at(self, address: str) -> DeviceReading:
        for known in self._known.values():
            if known.bus_id == address:
                return known.facts
        return DeviceReading(name=f"NVIDIA GPU {address}")

    def _by_index(self, index: int) -> DeviceReading:
        for known in self._known.values():
            if known.facts.index == index:
                return known.facts
        return DeviceReading(index=index, name=f"NVIDIA GPU {index}")

    def _missing(self, present: set[str | None]) -> list[DeviceReading]:
        return [
            known.facts._replace(index=None, state="lost", note=_MISSING)
            for uuid, known in self._known.items()
            if uuid not in present
        ]


def _handle(nvml: Nvml, name: str, which: int | str) -> Any | NvmlError:
    try:
        return nvml.call(name, which)
    except NvmlError as refused:
        if refused.code == UNINITIALIZED:
            raise
        return refused


def _index(nvml: Nvml, handle: Any) -> int | None:
    try:
        return int(nvml.call("nvmlDeviceGetIndex", handle))
    except NvmlError as refused:
        if refused.code == UNINITIALIZED:
            raise
        return None
