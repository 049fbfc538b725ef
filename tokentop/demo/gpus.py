"""The simulated driver: what NVML would say."""

from collections.abc import Callable

from tokentop.demo.gpu_page import detailed
from tokentop.demo.replies import LATENCY_S
from tokentop.demo.stack import simulate
from tokentop.domain.readings import GpusReading
from tokentop.transport.nvml import EVERYTHING, Answer, Wanted

DRIVER = "demo"


def reading(t: float, seed: int = 0) -> GpusReading:
    """The eight GPUs at demo time `t`."""
    devices = tuple(detailed(device, t) for device in simulate(t, seed).devices)
    return GpusReading(devices, driver_version=DRIVER)


class DemoDriver:
    """In place of NvmlThread: it answers every poll at once; `clock` is the demo's time."""

    def __init__(
        self, on_answer: Callable[[Answer], None], clock: Callable[[], float], seed: int = 0
    ) -> None:
        self._on_answer = on_answer
        self._clock = clock
        self._seed = seed

    def start(self) -> None:
        """There is nothing to start."""

    def poll(self, _wanted: Wanted = EVERYTHING) -> None:
        """Answer at once, with everything."""
        self._on_answer(Answer(reading(self._clock(), self._seed), LATENCY_S))

    def stop(self) -> None:
        """There is nothing to stop."""
