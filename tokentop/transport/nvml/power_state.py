"""Which NVIDIA GPUs sleep, read from sysfs: a call to the driver would wake them."""

import os
import re

from tokentop.named_tuple import NamedTuple

_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"
_ADDRESS = r"([0-9a-f]+):([0-9a-f]{2}):([0-9a-f]{2})(?:\.([0-9a-f]))?"  # compiled where it is used


class PowerState(NamedTuple):
    """PCI addresses ("0000:01:00.0") of the GPUs that sleep and of those that do not."""

    asleep: tuple[str, ...] = ()
    awake: tuple[str, ...] = ()

    @property
    def all_asleep(self) -> bool:
        """True when there are GPUs and all of them sleep."""
        return bool(self.asleep) and not self.awake


def address(bus_id: str) -> str | None:
    """The PCI address as sysfs spells it, of NVML's longer upper-case one; None if it is none."""
    match = re.fullmatch(_ADDRESS, bus_id.strip(), re.IGNORECASE)
    if match is None:
        return None
    domain, bus, device, function = match.groups()
    return f"{int(domain, 16):04x}:{bus}:{device}.{function or 0}".lower()


def nvidia_gpus(sysfs: str) -> tuple[str, ...]:
    """PCI addresses of the NVIDIA display devices, in order; empty where there is no sysfs.

    A device that another driver holds (vfio-pci, nouveau) is not NVML's to show.
    """
    devices = os.path.join(sysfs, "bus/pci/devices")
    try:
        names = sorted(os.listdir(devices))
    except OSError:
        return ()
    return tuple(name for name in names if _is_nvidia_gpu(os.path.join(devices, name)))


def look(gpus: tuple[str, ...], sysfs: str) -> PowerState:
    """Which sleep now; a GPU whose status cannot be read counts as awake."""
    asleep = tuple(gpu for gpu in gpus if _sleeps(gpu, sysfs))
    return PowerState(asleep, tuple(gpu for gpu in gpus if gpu not in asleep))


def may_sleep(gpus: tuple[str, ...], sysfs: str) -> bool:
    """False when runtime power management is off for all of them, as it is on most servers."""
    controls = (_word(os.path.join(sysfs, "bus/pci/devices", gpu, "power/control")) for gpu in gpus)
    return any(control != "on" for control in controls)


def _is_nvidia_gpu(device: str) -> bool:
    if _word(os.path.join(device, "vendor")) != _NVIDIA:
        return False
    if not _word(os.path.join(device, "class")).startswith(_DISPLAY_CLASS):
        return False
    try:
        driver = os.path.basename(os.readlink(os.path.join(device, "driver")))
    except OSError:
        return True  # no driver bound: NVML would load one and wake it
    return driver == "nvidia"


def _sleeps(gpu: str, sysfs: str) -> bool:
    status = _word(os.path.join(sysfs, "bus/pci/devices", gpu, "power/runtime_status"))
    return status in ("suspended", "suspending")


def _word(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:  # as text it would load a codec
            return file.read(64).decode("ascii", "replace").strip().lower()
    except OSError:
        return ""
