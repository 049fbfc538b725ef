"""The local NVIDIA driver, and the only user of pynvml (loaded on threads of its own)."""

from tokentop.transport.nvml.thread import Answer, NvmlThread
from tokentop.transport.nvml.wanted import EVERYTHING, GPU_PAGE, WATCHED, Wanted

__all__ = ["EVERYTHING", "GPU_PAGE", "WATCHED", "Answer", "NvmlThread", "Wanted"]
