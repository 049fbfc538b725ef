"""The one door to pynvml: a call answers or raises NvmlError; its codes and what they mean."""

import os
import sys
from typing import Any

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import FailureKind
from tokentop.domain.text import clean
from tokentop.transport.nvml.calls import Calls

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
_LIBRARY = b"libnvidia-ml.so.1"
_preloaded: list[int] = []  # handles of the library, beside pynvml's own
_loading = False

UNREADABLE = -1  # ours: pynvml could not decode the answer

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
    """pynvml, initialised; every call answers or raises NvmlError. Any thread may call."""

    def __init__(self, pynvml: Any, calls: Calls) -> None:
        self._pynvml = pynvml
        self._calls = calls
        self.memory_v2: int | None = getattr(pynvml, "nvmlMemory_v2", None)
        self._process_lists: str | None = None

    def call(self, name: str, *arguments: object) -> Any:
        """Ask one pynvml function by its name; raises NvmlError with the NVML code."""
        function = getattr(self._pynvml, name, None)
        if function is None:
            raise NvmlError(FUNCTION_NOT_FOUND)
        try:
            with self._calls.during(name):
                return function(*arguments)
        except self._pynvml.NVMLError as error:
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
            early_r535 = self._has("nvmlDeviceGetConfComputeMemSizeInfo") and not self._has(
                "nvmlDeviceGetRunningProcessDetailList"
            )
            self._process_lists = "v2" if early_r535 else "v3"
        return self._process_lists

    def words(self, code: int) -> str:
        """What this code means for one GPU, in a few words."""
        if code in _GPU_WORDS:
            return _GPU_WORDS[code]
        return f"the driver says: {self.official(code)}"

    def official(self, code: int) -> str:
        """NVML's own words for a code."""
        return _official(self._pynvml, code)

    def _has(self, symbol: str) -> bool:
        return hasattr(getattr(self._pynvml, "nvmlLib", None), symbol)


def connect(calls: Calls) -> Nvml | Failure:
    """Load pynvml and the driver's library and initialise it, or say why not.

    A library of another driver than the one that is loaded is loaded anew: its file may have been
    replaced since. Not to be called while a thread is in a call.
    """
    try:
        pynvml = _pynvml()
    except ImportError:
        return Failure("absent", "the Python module pynvml is missing: install nvidia-ml-py")
    _preload(calls)
    code = _start(pynvml, calls)
    if code == VERSION_MISMATCH and _unload(pynvml):
        code = _start(pynvml, calls)
    return Nvml(pynvml, calls) if code is None else start_failure(code, _official(pynvml, code))


def _start(pynvml: Any, calls: Calls) -> int | None:
    """Initialise NVML; returns the code of its refusal."""
    try:
        Nvml(pynvml, calls).call("nvmlInit")
    except NvmlError as refused:
        return refused.code
    return None


def is_loading() -> bool:
    """Whether the driver's library is being loaded now."""
    return _loading


def _preload(calls: Calls) -> None:
    """Load the library as a foreign call, which lets other threads run meanwhile.

    ctypes.CDLL does not: the program would hang together with a library that hangs in loading.
    """
    import ctypes

    global _loading  # the process has one loader
    try:
        dlopen = ctypes.CDLL(None).dlopen
    except (AttributeError, OSError, TypeError):  # not on this platform
        return
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    _loading = True
    with calls.during("dlopen"):
        handle = dlopen(_LIBRARY, os.RTLD_NOW)
    _loading = False
    if handle:
        _preloaded.append(handle)


def _unload(pynvml: Any) -> bool:
    """Forget the library, so that the next start loads the file that is there then."""
    library = getattr(pynvml, "nvmlLib", None)
    functions = getattr(pynvml, "_nvmlGetFunctionPointer_cache", None)
    if library is None or functions is None:
        return False
    from _ctypes import dlclose

    functions.clear()
    pynvml.nvmlLib = None
    for handle in (library._handle, *_preloaded):
        dlclose(handle)
    _preloaded.clear()
    return True


def start_failure(code: int, official: str) -> Failure:
    """Why the driver would not start answering, and what to do about it."""
    kind: FailureKind = "absent" if code in (LIBRARY_NOT_FOUND, GPU_NOT_FOUND) else "driver"
    text = _START_WORDS.get(code) or f"the NVIDIA driver would not start: {official}"
    return Failure(kind, text)


def _official(pynvml: Any, code: int) -> str:
    if code == UNREADABLE:
        return "an answer that is no text"
    return clean(str(pynvml.NVMLError(code)), 80).rstrip(".")


def _pynvml() -> Any:
    """Import pynvml without ctypes.util, which brings shutil, subprocess and tempfile along.

    pynvml takes `find_library` from there and does not call it to find NVML; a release that does
    gets the real one. Saves the one-line view 11 of its 90 ms.
    """
    if "ctypes.util" in sys.modules:
        import pynvml

        return pynvml
    stand_in = type(sys)("ctypes.util")
    stand_in.__dict__["find_library"] = _find_library
    sys.modules["ctypes.util"] = stand_in
    try:
        import pynvml
    finally:
        sys.modules.pop("ctypes.util", None)
    return pynvml


def _find_library(name: str) -> str | None:
    from ctypes.util import find_library

    return find_library(name)
