"""NVML's queries of one handle, a method each; None is "the driver has no answer"."""

from tokentop.domain.text import clean
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.transport.nvml.driver import (
    ARGUMENT_VERSION_MISMATCH,
    FINAL,
    FUNCTION_NOT_FOUND,
    GONE,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RESTART,
    Nvml,
    NvmlError,
)
from tokentop.transport.nvml.processes import GpuProcess

_TEMPERATURE_SENSOR, _SLOWDOWN = 0, 1  # NVML_TEMPERATURE_GPU, NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
_NO_INSTANCE = 0xFFFFFFFF
_OUTDATED = (FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH)
_NOT_WORTH_A_NOTE = (NOT_SUPPORTED, FUNCTION_NOT_FOUND)


class Memory(NamedTuple):
    """Framebuffer in bytes; `shared` where the device has none of its own."""

    used: int | None = None
    total: int | None = None
    shared: bool = False


class DeviceQueries:
    """One handle's queries; one that the driver will never answer is not repeated.

    Every method raises NvmlError for a GPU that is lost, or for a driver that has to be started
    anew, and returns None for anything else that the driver does not answer.
    """

    def __init__(self, nvml: Nvml, handle: Any) -> None:
        self.nvml = nvml
        self.handle = handle
        self.answers = 0
        self.refusals: dict[str, int] = {}  # of this poll
        self._never: dict[str, int] = {}

    def new_poll(self, *, retry: bool) -> None:
        """Clear the last poll's counts and, with `retry`, what was refused for good as well."""
        self.answers = 0
        self.refusals = {}
        if retry:
            self._never.clear()

    def ask(self, name: str, *arguments: object) -> Any:
        """The answer to one call on this handle, or None with its code in `refusals`."""
        if name in self._never:
            self.refusals[name] = self._never[name]
            return None
        try:
            answer = self.nvml.call(name, self.handle, *arguments)
        except NvmlError as refused:
            if refused.code in GONE or refused.code in RESTART:
                raise
            self.refusals[name] = refused.code
            if refused.code in FINAL:
                self._never[name] = refused.code
            return None
        self.answers += 1
        return answer

    def quiet(self, name: str, *arguments: object) -> Any:
        """The same, but a refusal is no fault of the GPU: it is in no `refusals` and no note.

        What is refused for good is remembered with its arguments: one clock may be known and
        another not.
        """
        key = f"{name} {arguments}"
        if key in self._never:
            return None
        try:
            return self.nvml.call(name, self.handle, *arguments)
        except NvmlError as refused:
            if refused.code in GONE or refused.code in RESTART:
                raise
            if refused.code in FINAL:
                self._never[key] = refused.code
            return None

    def samples(self, name: str, since_us: int) -> Any:
        """The samples newer than `since_us` (Unix microseconds); none is an answer as well."""
        if name in self._never:
            return ()
        try:
            return self.nvml.call(name, self.handle, since_us)
        except NvmlError as refused:
            if refused.code in GONE or refused.code in RESTART:
                raise
            if refused.code in FINAL:
                self._never[name] = refused.code
            return ()

    def name(self) -> str | None:
        """The product's or the MIG profile's name."""
        return clean(self.ask("nvmlDeviceGetName") or "", 64) or None

    def uuid(self) -> str | None:
        """The UUID with its prefix, "GPU-..." or "MIG-..."."""
        return clean(self.ask("nvmlDeviceGetUUID") or "", 96) or None

    def bus_id(self) -> str | None:
        """The PCI address as NVML spells it."""
        answer = self.ask("nvmlDeviceGetPciInfo")
        return None if answer is None else _text(answer.busId)

    def memory(self) -> Memory:
        """Version 2 keeps what the driver reserves out of `used`; version 1 where it must."""
        answer = None
        version = self.nvml.memory_v2
        if version is not None:
            answer = self.ask("nvmlDeviceGetMemoryInfo", version)
            if self.refusals.get("nvmlDeviceGetMemoryInfo") in _OUTDATED:
                self.nvml.memory_v2 = version = None
                self._never.pop("nvmlDeviceGetMemoryInfo", None)
                del self.refusals["nvmlDeviceGetMemoryInfo"]
        if version is None:
            answer = self.ask("nvmlDeviceGetMemoryInfo")
        if answer is None or not answer.total:
            no_framebuffer = self.refusals.get("nvmlDeviceGetMemoryInfo", NOT_SUPPORTED)
            return Memory(shared=no_framebuffer == NOT_SUPPORTED)
        return Memory(int(answer.used), int(answer.total))

    def utilization(self) -> float | None:
        """Share of the last sample period in which a kernel ran, 0-1."""
        answer = self.ask("nvmlDeviceGetUtilizationRates")
        return None if answer is None else min(int(answer.gpu), 100) / 100

    def temperature_c(self) -> float | None:
        """The GPU core's temperature."""
        answer = self.ask("nvmlDeviceGetTemperature", _TEMPERATURE_SENSOR)
        if answer is None and self._outdated("nvmlDeviceGetTemperature"):
            answer = self.ask("nvmlDeviceGetTemperatureV", _TEMPERATURE_SENSOR)
        return None if answer is None else float(answer)

    def slowdown_c(self) -> float | None:
        """The core's temperature at which the hardware slows it down."""
        answer = self.quiet("nvmlDeviceGetTemperatureThreshold", _SLOWDOWN)
        return None if answer is None else float(answer)

    def power_w(self) -> float | None:
        """Power drawn, in watts."""
        return _watts(self.ask("nvmlDeviceGetPowerUsage"))

    def power_limit_w(self) -> float | None:
        """The limit in force, in watts."""
        return _watts(self.ask("nvmlDeviceGetEnforcedPowerLimit"))

    def mig_mode(self) -> bool:
        """True while the GPU is split into MIG instances."""
        answer = self.ask("nvmlDeviceGetMigMode")
        return answer is not None and answer[0] == 1

    def processes(self, kind: str) -> list[GpuProcess] | None:
        """The process list of one kind: "Compute", "Graphics" or "MPSCompute"."""
        name = f"nvmlDeviceGet{kind}RunningProcesses_{self.nvml.process_lists}"
        answer = self.ask(name)
        if answer is None and self._outdated(name):
            answer = self.ask(f"nvmlDeviceGet{kind}RunningProcesses_v2")
        return None if answer is None else [_process(entry) for entry in answer]

    def note(self) -> str | None:
        """Which refusals of this poll are a fault rather than a missing feature, in words."""
        for name, code in self.refusals.items():
            if code == NO_PERMISSION and "Processes" in name:
                return "the process list needs more rights"
            if code not in _NOT_WORTH_A_NOTE:
                return f"{name.removeprefix('nvmlDeviceGet')}: {self.nvml.words(code)}"
        return None

    def _outdated(self, name: str) -> bool:
        return self.refusals.get(name) == FUNCTION_NOT_FOUND


def _process(entry: Any) -> GpuProcess:
    instance = (_instance(entry.gpuInstanceId), _instance(entry.computeInstanceId))
    return GpuProcess(
        int(entry.pid),
        None if entry.usedGpuMemory is None else int(entry.usedGpuMemory),
        None if instance[0] is None else instance,
    )


def _instance(number: int | None) -> int | None:
    return None if number in (None, _NO_INSTANCE) else int(number)


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _text(value: str | bytes) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value
