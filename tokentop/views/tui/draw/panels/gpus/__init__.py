"""The GPU pool: its rows, the split VRAM bar, the processes."""
