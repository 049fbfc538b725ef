"""What one poll of the local driver consists of: which GPUs there are, which sleep, their figures.

Suspended GPUs: NVML documents that initialising it initialises no GPU, but that getting a GPU's
handle does, which resumes it. So with every GPU asleep NVML is not touched at all; with some
asleep only the others' handles are got, by their PCI address.
"""

from collections.abc import Iterable
from contextlib import suppress

from tokentop.domain.readings import DeviceReading, Failure
from tokentop.domain.text import clean
from tokentop.named_tuple import NamedTuple
from tokentop.transport.nvml.calls import Calls
from tokentop.transport.nvml.device import RECHECK_S, Device
from tokentop.transport.nvml.device_table import DeviceTable
from tokentop.transport.nvml.driver import Nvml, NvmlError, connect, start_failure
from tokentop.transport.nvml.power_state import look, may_sleep, nvidia_gpus
from tokentop.transport.nvml.processes import ProcessNames
from tokentop.transport.nvml.wanted import Wanted

RETRY_S = 30.0

_RENEW_MAX_S = 600.0
_NO_GPU = "the NVIDIA driver is loaded but finds no GPU"


class Plan(NamedTuple):
    """The GPUs to read, and those that are shown without a call because they sleep."""

    devices: tuple[Device, ...] = ()
    asleep: tuple[DeviceReading, ...] = ()
    driver_version: str | None = None


class Reader:
    """The local driver; `plan` and `read` block as long as the driver does.

    A driver that would not start is tried again after 30 s. While a GPU is lost NVML is started
    anew after 30 s, 60 s ... 10 min, for a GPU comes back only to a fresh start.
    """

    def __init__(self, calls: Calls, sysfs: str = "/sys", proc: str = "/proc") -> None:
        self._calls = calls
        self._sysfs = sysfs
        self._names = ProcessNames(proc)
        self._table = DeviceTable()
        self._nvml: Nvml | None = None
        self._driver_version: str | None = None
        self._failure: Failure | None = None
        self._retry_at = 0.0
        self._pci: tuple[str, ...] = ()
        self._addresses = False
        self._recheck_at: float | None = None
        self._renew_at: float | None = None
        self._renew_after_s = RETRY_S
        self._given_up = False

    def plan(
        self, now: float, wanted: Wanted, *, calm: bool = True, anew: bool = False
    ) -> Plan | Failure:
        """What to read at the monotonic time `now`, or why there is nothing.

        With `anew` NVML is started anew; never unless `calm`, which is while no call is under way.
        """
        self._recheck(now)
        power = look(self._pci, self._sysfs)
        renew = self._renew_at is not None and now >= self._renew_at
        if calm and (anew or renew or self._given_up):
            self._close()
        if power.all_asleep:
            return Plan((), tuple(self._table.asleep(power)), self._driver_version)
        try:
            nvml = self._open(now)
            if isinstance(nvml, Failure):
                return nvml
            devices = self._table.awake(nvml, power)
        except NvmlError as refused:
            return self.fail(refused, now)
        if wanted.details and self._driver_version is None:
            self._driver_version = _version(nvml)
        return Plan(devices, tuple(self._table.asleep(power)), self._driver_version)

    def is_settled(self, now: float, wanted: Wanted) -> bool:
        """Whether `plan` makes no call to the driver at this time, and nothing has to be found."""
        return (
            self._nvml is not None
            and not self._given_up
            and self._recheck_at is not None
            and now < self._recheck_at
            and (self._renew_at is None or now < self._renew_at)
            and (self._driver_version is not None or not wanted.details)
            and self._table.has_all_handles
        )

    def read(self, device: Device, now: float, wanted: Wanted) -> list[DeviceReading]:
        """One GPU and its MIG instances; raises NvmlError for a driver to start anew."""
        return device.read(now, self._names, wanted, addresses=self._addresses)

    def learn(self, device: Device) -> None:
        """Remember what a GPU that was read says of itself."""
        self._table.learn(device)

    def missing(self, listed: Iterable[DeviceReading]) -> list[DeviceReading]:
        """The GPUs that were here and are not among those listed now."""
        return self._table.missing(listed)

    def words(self, refused: NvmlError) -> str:
        """Why one GPU refuses, in a few words."""
        return self._nvml.words(refused.code) if self._nvml else "the driver has gone"

    def settle(self, readings: list[DeviceReading], now: float) -> bool:
        """Plan the next start for GPUs that are lost; returns whether to start anew at once.

        That is so the first time that none is left: the driver was reloaded.
        """
        lost = [reading.state == "lost" for reading in readings if reading.mig is None]
        if not any(lost):
            self._renew_at, self._renew_after_s = None, RETRY_S
            return False
        if self._renew_at is not None:
            return False
        at_once = all(lost) and self._renew_after_s == RETRY_S
        self._renew_at = now + self._renew_after_s
        self._renew_after_s = min(2 * self._renew_after_s, _RENEW_MAX_S)
        return at_once

    def fail(self, refused: NvmlError, now: float) -> Failure:
        """Give up until `RETRY_S` have passed."""
        return self._give_up(start_failure(refused.code), now)

    def no_gpu(self, now: float) -> Failure:
        """The driver answers and lists nothing."""
        return self._give_up(Failure("absent", _NO_GPU), now)

    def _close(self) -> None:
        """Shut NVML down; what was learned of the GPUs stays."""
        if self._nvml is not None:
            with suppress(NvmlError):  # it was down already
                self._nvml.call("nvmlShutdown")
        self._nvml, self._renew_at, self._driver_version = None, None, None
        self._table.forget_handles()
        self._given_up = False

    def _recheck(self, now: float) -> None:
        if self._recheck_at is not None and now < self._recheck_at:
            return
        self._pci = nvidia_gpus(self._sysfs)
        self._addresses = bool(self._pci) and may_sleep(self._pci, self._sysfs)
        self._names.forget()
        self._recheck_at = now + RECHECK_S

    def _open(self, now: float) -> Nvml | Failure:
        if self._nvml is not None:
            return self._nvml
        if self._failure is not None and now < self._retry_at:
            return self._failure
        opened = connect(self._calls)
        if isinstance(opened, Failure):
            return self._give_up(opened, now)
        self._nvml, self._failure = opened, None
        return opened

    def _give_up(self, failure: Failure, now: float) -> Failure:
        """Remember the failure; NVML is shut down at the next poll, by a thread that may hang."""
        self._failure, self._retry_at, self._given_up = failure, now + RETRY_S, True
        return failure


def _version(nvml: Nvml) -> str | None:
    try:
        return clean(nvml.call("nvmlSystemGetDriverVersion"), 32) or None
    except NvmlError:
        return None
