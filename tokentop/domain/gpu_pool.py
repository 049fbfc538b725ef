"""Sums over the GPU pool: the one definition that the banner, the line and every panel share."""

from collections.abc import Iterable

from tokentop.domain.numbers import total
from tokentop.domain.snapshot import Gpu

OUT_OF_SERVICE = ("lost", "error")


def counted(pool: Iterable[Gpu]) -> list[Gpu]:
    """The GPUs in every sum: no MIG instance (its parent has its memory), none that has failed."""
    return [gpu for gpu in pool if gpu.mig is None and in_service(gpu)]


def in_service(gpu: Gpu) -> bool:
    """Whether its figures are of now, or will be again: not of a GPU that is lost or in error."""
    return gpu.state not in OUT_OF_SERVICE


def wholes(pool: Iterable[Gpu]) -> tuple[int, int]:
    """(GPUs in service, all GPUs), MIG instances not counted."""
    pool = tuple(pool)
    return len(counted(pool)), sum(gpu.mig is None for gpu in pool)


def vram_bytes(pool: Iterable[Gpu]) -> tuple[int, int] | None:
    """(used, total) bytes over the counted GPUs that report both; None where none does."""
    sizes = [
        (gpu.vram_used_bytes, gpu.vram_total_bytes)
        for gpu in counted(pool)
        if gpu.vram_used_bytes is not None and gpu.vram_total_bytes
    ]
    if not sizes:
        return None
    return sum(used for used, _ in sizes), sum(total or 0 for _, total in sizes)


def vram_fraction(pool: Iterable[Gpu]) -> float | None:
    """VRAM used of total, 0-1; None where it is unknown."""
    sizes = vram_bytes(pool)
    return None if sizes is None else sizes[0] / sizes[1]


def utilization(pool: Iterable[Gpu]) -> float | None:
    """The mean utilisation of the counted GPUs that report one, 0-1; None where none does."""
    known = [gpu.utilization for gpu in counted(pool) if gpu.utilization is not None]
    return sum(known) / len(known) if known else None


def power_w(pool: Iterable[Gpu]) -> float | None:
    """The watts of the counted GPUs that report them; None where none does."""
    return total(gpu.power_w for gpu in counted(pool))
