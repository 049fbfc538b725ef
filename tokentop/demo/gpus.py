"""The simulated driver: what NVML would say."""

from collections.abc import Callable

from tokentop.demo.stack import simulate
from tokentop.domain.readings import GpusReading

DRIVER = "demo"


def reading(t: float, seed: int = 0) -> GpusReading:
    """The eight GPUs at demo time `t`."""
    return GpusReading(simulate(t, seed).devices, driver_version=DRIVER)


def reader(clock: Callable[[], float], seed: int = 0) -> Callable[[float], GpusReading]:
    """A stand-in for the driver's reader: `NvmlThread(on_result, read=reader(clock, seed))`.

    Its argument, the real time, is ignored: the demo has its own clock.
    """
    return lambda _: reading(clock(), seed)
