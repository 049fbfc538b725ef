"""The driver as the real pynvml meets it in the fake library."""
