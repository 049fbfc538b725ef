"""The NVML calls that one line makes, by ctypes: pynvml's names, arguments and answers.

Each takes the library first and raises Refused. Structures are as in nvml.h.
"""

from collections.abc import Callable, Mapping
from ctypes import (
    CDLL,
    Array,
    Structure,
    byref,
    c_char_p,
    c_uint,
    c_ulonglong,
    c_void_p,
    create_string_buffer,
)
from functools import partial

from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple

_INSUFFICIENT_SIZE = 7
_FUNCTION_NOT_FOUND = 13
_UUID_BYTES = 96
_NOT_AVAILABLE = 0xFFFFFFFFFFFFFFFF


class Refused(Exception):  # it is an answer, not an error
    """A call returned another code than success."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


class _Memory(Structure):
    _fields_ = [(name, c_ulonglong) for name in ("total", "free", "used")]


class _MemoryV2(Structure):
    _fields_ = [
        ("version", c_uint),
        *((name, c_ulonglong) for name in ("total", "reserved", "free", "used")),
    ]


class _Utilization(Structure):
    _fields_ = [("gpu", c_uint), ("memory", c_uint)]


class _Process(Structure):
    _fields_ = [
        ("pid", c_uint),
        ("usedGpuMemory", c_ulonglong),
        ("gpuInstanceId", c_uint),
        ("computeInstanceId", c_uint),
    ]


class ProcessInfo(NamedTuple):
    """One process on a GPU; its memory is None where the driver does not say."""

    pid: int
    usedGpuMemory: int | None  # NVML's name
    gpuInstanceId: int
    computeInstanceId: int


def _init(library: CDLL) -> None:
    _call(library, "nvmlInitWithFlags", 0)


def _shutdown(library: CDLL) -> None:
    _call(library, "nvmlShutdown")


def _count(library: CDLL) -> int:
    found = c_uint()
    _call(library, "nvmlDeviceGetCount_v2", byref(found))
    return found.value


def _handle_by_index(library: CDLL, index: int) -> c_void_p:
    handle = c_void_p()
    _call(library, "nvmlDeviceGetHandleByIndex_v2", c_uint(index), byref(handle))
    return handle


def _handle_by_address(library: CDLL, address: str) -> c_void_p:
    handle = c_void_p()
    words = c_char_p(address.encode())
    _call(library, "nvmlDeviceGetHandleByPciBusId_v2", words, byref(handle))
    return handle


def _uuid(library: CDLL, handle: c_void_p) -> str:
    """Raises UnicodeDecodeError for an answer that is no text."""
    found = create_string_buffer(_UUID_BYTES)
    _call(library, "nvmlDeviceGetUUID", handle, found, c_uint(_UUID_BYTES))
    return found.value.decode()


def _memory(library: CDLL, handle: c_void_p, version: int | None = None) -> _Memory | _MemoryV2:
    if version is None:
        first = _Memory()
        _call(library, "nvmlDeviceGetMemoryInfo", handle, byref(first))
        return first
    second = _MemoryV2(version=version)
    _call(library, "nvmlDeviceGetMemoryInfo_v2", handle, byref(second))
    return second


def _utilization(library: CDLL, handle: c_void_p) -> _Utilization:
    found = _Utilization()
    _call(library, "nvmlDeviceGetUtilizationRates", handle, byref(found))
    return found


def _power(library: CDLL, handle: c_void_p) -> int:
    """Milliwatts."""
    found = c_uint()
    _call(library, "nvmlDeviceGetPowerUsage", handle, byref(found))
    return found.value


def _processes(symbol: str, library: CDLL, handle: c_void_p) -> list[ProcessInfo]:
    """The first call tells how many there are; more may have come before the second."""
    count = c_uint(0)
    try:
        _call(library, symbol, handle, byref(count), None)
        return []
    except Refused as refused:
        if refused.value != _INSUFFICIENT_SIZE:
            raise
    count.value = 2 * count.value + 5
    found: Array[_Process] = (_Process * count.value)()
    _call(library, symbol, handle, byref(count), found)
    return [_process(one) for one in found[: count.value]]


def _process(one: _Process) -> ProcessInfo:
    used = None if one.usedGpuMemory == _NOT_AVAILABLE else one.usedGpuMemory
    return ProcessInfo(one.pid, used, one.gpuInstanceId, one.computeInstanceId)


def _call(library: CDLL, symbol: str, *arguments: object) -> None:
    try:
        function = getattr(library, symbol)
    except AttributeError:
        raise Refused(_FUNCTION_NOT_FOUND) from None
    if code := function(*arguments):
        raise Refused(code)


_V2, _V3 = (f"nvmlDeviceGetComputeRunningProcesses_{version}" for version in ("v2", "v3"))
LIGHT_CALLS: Mapping[str, Callable[..., Any]] = {
    "nvmlInit": _init,
    "nvmlShutdown": _shutdown,
    "nvmlDeviceGetCount": _count,
    "nvmlDeviceGetHandleByIndex": _handle_by_index,
    "nvmlDeviceGetHandleByPciBusId": _handle_by_address,
    "nvmlDeviceGetUUID": _uuid,
    "nvmlDeviceGetMemoryInfo": _memory,
    "nvmlDeviceGetUtilizationRates": _utilization,
    "nvmlDeviceGetPowerUsage": _power,
    _V2: partial(_processes, _V2),
    _V3: partial(_processes, _V3),
}
