"""The one door to NVML: a call answers or raises NvmlError; its codes and what they mean."""

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import FailureKind
from tokentop.domain.text import clean
from tokentop.light_typing import TYPE_CHECKING, Any
from tokentop.transport.nvml.calls import Calls

if TYPE_CHECKING:  # loaded where the driver is: ctypes is not for a machine whose GPUs sleep
    from tokentop.transport.nvml.shared_library import Library

UNINITIALIZED = 1
NOT_SUPPORTED = 3
NO_PERMISSION = 4
NOT_FOUND = 6
DRIVER_NOT_LOADED = 9
TIMEOUT = 10
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
RESET_REQUIRED = 16
VERSION_MISMATCH = 18
ARGUMENT_VERSION_MISMATCH = 25
GPU_NOT_FOUND = 28
MEMORY_V2 = 0x02000028  # nvmlMemory_v2: the structure's size, and its version on top

UNREADABLE = -1  # ours: the answer could not be decoded

FINAL = frozenset({NOT_SUPPORTED, NO_PERMISSION, FUNCTION_NOT_FOUND})
GONE = frozenset({GPU_IS_LOST, RESET_REQUIRED})
# The driver was shut down, unloaded or replaced under us: only a new start can help.
RESTART = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, VERSION_MISMATCH})

_GPU_WORDS = {
    NO_PERMISSION: "this user may not open it",
    8: "its external power cable is not connected",
    TIMEOUT: "the driver timed out",
    11: "its interrupt does not arrive: see the kernel log",
    GPU_IS_LOST: "fell off the bus: see dmesg for Xid, reset or reboot",
    RESET_REQUIRED: "needs a reset: nvidia-smi --gpu-reset, or reboot",
}
_START_WORDS = {
    NO_PERMISSION: "the NVIDIA driver refuses this user: check the rights on /dev/nvidiactl",
    DRIVER_NOT_LOADED: (
        "the NVIDIA driver is installed but not loaded: run nvidia-smi once, or modprobe nvidia"
    ),
    LIBRARY_NOT_FOUND: (
        "no NVIDIA driver here: libnvidia-ml.so.1 was not found (install the driver; in a "
        "container pass the GPUs in)"
    ),
    VERSION_MISMATCH: (
        "the NVIDIA driver was updated while the old one is still loaded: reboot, or reload the "
        "nvidia kernel modules"
    ),
    GPU_NOT_FOUND: "the NVIDIA driver is loaded but finds no GPU",
}


class NvmlError(Exception):  # it is an answer, not an error
    """The driver's "no" to one call, by its NVML code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Nvml:
    """NVML, initialised; every call answers or raises NvmlError. Any thread may call."""

    def __init__(self, library: "Library", calls: Calls) -> None:
        self._library = library
        self._calls = calls
        self.memory_v2: int | None = MEMORY_V2
        self._process_lists: str | None = None

    def call(self, name: str, *arguments: object) -> Any:
        """Ask one function by pynvml's name for it; raises NvmlError with the NVML code."""
        function = self._library.function(name)
        if function is None:
            raise NvmlError(FUNCTION_NOT_FOUND)
        try:
            return self._calls.make(name, function, *arguments)
        except self._library.errors as error:
            raise NvmlError(int(error.value)) from None
        except (UnicodeDecodeError, ValueError):
            raise NvmlError(UNREADABLE) from None

    @property
    def process_lists(self) -> str:
        """The newest version of the process lists that pynvml reads right, "v3" or "v2".

        R535 up to 535.86 fills 32 bytes a process in version 3, all others 24, which is what
        pynvml expects; its version 2 has 24. Those drivers are told by what else they have.
        """
        if self._process_lists is None:
            has = self._library.has
            early_r535 = has("nvmlDeviceGetConfComputeMemSizeInfo") and not has(
                "nvmlDeviceGetRunningProcessDetailList"
            )
            self._process_lists = "v2" if early_r535 else "v3"
        return self._process_lists

    def words(self, code: int) -> str:
        """What this code means for one GPU, in a few words."""
        if code in _GPU_WORDS:
            return _GPU_WORDS[code]
        return f"the driver says: {_official(code)}"


def connect(calls: Calls) -> Nvml | Failure:
    """Load the driver's library and initialise it, or say why not.

    A library of another driver than the one that is loaded is loaded anew: its file may have been
    replaced since. Not to be called while a thread is in a call.
    """
    from tokentop.transport.nvml.shared_library import unload

    started = _start(calls)
    if started == VERSION_MISMATCH:
        unload()
        started = _start(calls)
    return started if isinstance(started, Nvml) else start_failure(started)


def _start(calls: Calls) -> Nvml | int:
    """NVML, initialised; the code of its refusal."""
    from tokentop.transport.nvml.shared_library import load

    library = load(calls)
    if library is None:
        return LIBRARY_NOT_FOUND
    nvml = Nvml(library, calls)
    try:
        nvml.call("nvmlInit")
    except NvmlError as refused:
        return refused.code
    return nvml


def start_failure(code: int) -> Failure:
    """Why the driver would not start answering, and what to do about it."""
    kind: FailureKind = "absent" if code in (LIBRARY_NOT_FOUND, GPU_NOT_FOUND) else "driver"
    words = _START_WORDS.get(code) or f"the NVIDIA driver would not start: {_official(code)}"
    return Failure(kind, words)


def _official(code: int) -> str:
    """NVML's own words for a code."""
    if code == UNREADABLE:
        return "an answer that is no text"
    from tokentop.transport.nvml.shared_library import words

    return clean(words(code), 80).rstrip(".")
