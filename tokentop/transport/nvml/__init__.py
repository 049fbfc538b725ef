"""The local NVIDIA driver, and the only user of pynvml (loaded on its own thread)."""

from tokentop.transport.nvml.reader import Reader
from tokentop.transport.nvml.thread import NvmlThread

__all__ = ["NvmlThread", "Reader"]
