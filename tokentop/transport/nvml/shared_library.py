"""The driver's library: the calls of one line by ctypes, every other one by pynvml.

pynvml describes all of NVML when it is imported, which takes a seventh of the one-line view's time.
Names, arguments and answers are pynvml's here; both work on the same library.
"""

import ctypes
import os
import sys
from collections.abc import Callable
from functools import partial

from tokentop.light_typing import Any
from tokentop.transport.nvml.calls import Calls
from tokentop.transport.nvml.light_calls import LIGHT_CALLS, Refused
from tokentop.transport.nvml.system_loader import taken

_NAME = "libnvidia-ml.so.1"

_loaded: list[ctypes.CDLL] = []  # the process has one
_loading = False


class Library:
    """The functions of the library that is loaded, by pynvml's names."""

    def __init__(self, loaded: ctypes.CDLL) -> None:
        self._loaded = loaded
        self._functions: dict[str, Callable[..., Any] | None] = {}

    @property
    def errors(self) -> tuple[Any, ...]:
        """What a function raises for a refusal; its code is the error's `value`."""
        pynvml = sys.modules.get("pynvml")
        return (Refused,) if pynvml is None else (Refused, pynvml.NVMLError)

    def has(self, symbol: str) -> bool:
        """Whether this driver exports a C function."""
        return hasattr(self._loaded, symbol)

    def function(self, name: str) -> Callable[..., Any] | None:
        """The function of this name; None where pynvml does not know it."""
        if name not in self._functions:
            self._functions[name] = self._found(name)
        return self._functions[name]

    def _found(self, name: str) -> Callable[..., Any] | None:
        if name in LIGHT_CALLS:
            return partial(LIGHT_CALLS[name], self._loaded)
        found: Callable[..., Any] | None = getattr(_pynvml(self._loaded), name, None)
        return found


def is_loading() -> bool:
    """Whether the driver's library is being loaded now."""
    return _loading


def load(calls: Calls) -> Library | None:
    """The driver's library; None where there is none, and once `calls` are stopped.

    It is loaded by a foreign call, which lets other threads run meanwhile. ctypes.CDLL does not:
    the program would hang together with a library that hangs in loading.
    """
    global _loading  # the process has one loader
    if _loaded:
        return Library(_loaded[0])
    try:
        dlopen = ctypes.CDLL(None).dlopen
    except (AttributeError, OSError, TypeError):  # not on this platform
        return None
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    _loading = True  # first: who stops the calls looks at it afterwards
    try:
        if calls.stopped:
            return None
        with taken("the NVIDIA driver's library"):
            handle = calls.make("dlopen", dlopen, _NAME.encode(), os.RTLD_NOW)
    finally:
        _loading = False
    if handle:
        _loaded.append(ctypes.CDLL(_NAME, handle=handle))
    return Library(_loaded[0]) if handle else None


def unload() -> None:
    """Forget the library, so that the next start loads the file that is there then."""
    from _ctypes import dlclose

    for library in _loaded:
        dlclose(library._handle)
    _loaded.clear()


def words(code: int) -> str:
    """NVML's own words for a code."""
    return str(_pynvml(_loaded[0] if _loaded else None).NVMLError(code))


def _pynvml(library: ctypes.CDLL | None) -> Any:
    """pynvml on this library, without ctypes.util, which brings subprocess and tempfile along.

    pynvml takes `find_library` from there and does not call it to find NVML; a release that does
    gets the real one.
    """
    stand_in = type(sys)("ctypes.util")
    stand_in.__dict__["find_library"] = _find_library
    lacking = sys.modules.setdefault("ctypes.util", stand_in) is stand_in
    try:
        import pynvml
    finally:
        if lacking:
            sys.modules.pop("ctypes.util", None)
    if pynvml.nvmlLib is not library:
        pynvml._nvmlGetFunctionPointer_cache.clear()
        pynvml.nvmlLib = library
    return pynvml


def _find_library(name: str) -> str | None:
    from ctypes.util import find_library

    return find_library(name)
