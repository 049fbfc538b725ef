"""One poll of the local driver: which GPUs there are, which sleep, and their figures.

Suspended GPUs: NVML documents that initialising it initialises no GPU, but that getting a GPU's
handle does, which resumes it. So with every GPU asleep NVML is not touched at all; with some
asleep only the others' handles are got, by their PCI address.
"""

from contextlib import suppress

from tokentop.domain.readings import DeviceReading, Failure, GpusReading
from tokentop.domain.text import clean
from tokentop.transport.nvml.device import RECHECK_S, Wanted
from tokentop.transport.nvml.device_table import DeviceTable
from tokentop.transport.nvml.driver import Nvml, NvmlError, connect, start_failure
from tokentop.transport.nvml.power_state import PowerState, look, may_sleep, nvidia_gpus
from tokentop.transport.nvml.processes import ProcessNames

RETRY_S = 30.0

_RENEW_MAX_S = 600.0
_NO_GPU = "the NVIDIA driver is loaded but finds no GPU"


class Reader:
    """Reads the local driver; `read` blocks as long as the driver does.

    A driver that would not start is tried again after 30 s. While a GPU is lost NVML is started
    anew after 30 s, 60 s ... 10 min, for a GPU comes back only to a fresh start. Without
    `details` only UUID, VRAM and utilisation are read.
    """

    def __init__(self, *, details: bool = True, sysfs: str = "/sys", proc: str = "/proc") -> None:
        self._details = details
        self._sysfs = sysfs
        self._names = ProcessNames(proc)
        self._table = DeviceTable()
        self._nvml: Nvml | None = None
        self._driver_version: str | None = None
        self._failure: Failure | None = None
        self._retry_at = 0.0
        self._pci: tuple[str, ...] = ()
        self._recheck_at: float | None = None
        self._renew_at: float | None = None
        self._renew_after_s = RETRY_S

    def read(self, now: float) -> GpusReading | Failure:
        """One reading at the monotonic time `now`, or why there is none."""
        recheck = self._recheck(now)
        power = look(self._pci, self._sysfs)
        if power.all_asleep:
            return GpusReading(tuple(self._table.asleep(power)), self._driver_version)
        if self._renew_at is not None and now >= self._renew_at:
            self._close()
        try:
            return self._ask(power, now, recheck=recheck)
        except NvmlError:  # another part of this process shut NVML down: once more from the start
            self._close()
        try:
            return self._ask(power, now, recheck=recheck)
        except NvmlError as refused:
            official = self._nvml.official(refused.code) if self._nvml else ""
            self._close()
            return self._fail(start_failure(refused.code, official), now)

    def _recheck(self, now: float) -> bool:
        if self._recheck_at is not None and now < self._recheck_at:
            return False
        self._pci = nvidia_gpus(self._sysfs)
        addresses = bool(self._pci) and may_sleep(self._pci, self._sysfs)
        self._table.wanted = Wanted(self._details, addresses)
        self._names.forget()
        self._recheck_at = now + RECHECK_S
        return True

    def _ask(self, power: PowerState, now: float, *, recheck: bool) -> GpusReading | Failure:
        nvml = self._open(now)
        if isinstance(nvml, Failure):
            return nvml
        self._table.find(nvml, power, again=recheck)
        readings = self._table.read(nvml, power, now, self._names)
        if not readings:
            self._close()
            return self._fail(Failure("absent", _NO_GPU), now)
        self._plan_renewal(readings, now)
        return GpusReading(tuple(readings), self._driver_version)

    def _open(self, now: float) -> Nvml | Failure:
        if self._nvml is not None:
            return self._nvml
        if self._failure is not None and now < self._retry_at:
            return self._failure
        opened = connect()
        if isinstance(opened, Failure):
            return self._fail(opened, now)
        self._nvml, self._failure = opened, None
        self._driver_version = _version(opened)
        return opened

    def _fail(self, failure: Failure, now: float) -> Failure:
        self._failure, self._retry_at = failure, now + RETRY_S
        return failure

    def _close(self) -> None:
        if self._nvml is not None:
            with suppress(NvmlError):  # it was down already
                self._nvml.call("nvmlShutdown")
        self._nvml, self._renew_at = None, None
        self._table.forget_handles()

    def _plan_renewal(self, readings: list[DeviceReading], now: float) -> None:
        if not any(reading.state == "lost" for reading in readings):
            self._renew_at, self._renew_after_s = None, RETRY_S
        elif self._renew_at is None:
            self._renew_at = now + self._renew_after_s
            self._renew_after_s = min(2 * self._renew_after_s, _RENEW_MAX_S)


def _version(nvml: Nvml) -> str | None:
    try:
        return clean(nvml.call("nvmlSystemGetDriverVersion"), 32) or None
    except NvmlError:
        return None
