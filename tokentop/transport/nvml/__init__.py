"""The local NVIDIA driver, and the only user of pynvml (loaded on threads of its own)."""
