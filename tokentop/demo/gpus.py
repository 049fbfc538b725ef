"""The simulated driver: what NVML would say."""

from collections.abc import Callable

from tokentop.demo.replies import LATENCY_S
from tokentop.demo.world import World
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.nvml.wanted import EVERYTHING, Wanted


class DemoDriver:
    """In place of NvmlThread: it answers every poll at once; `clock` is the demo's time."""

    def __init__(
        self, on_answer: Callable[[Answer], None], world: World, clock: Callable[[], float]
    ) -> None:
        self._on_answer = on_answer
        self._world = world
        self._clock = clock

    def start(self) -> None:
        """There is nothing to start."""

    def poll(self, _wanted: Wanted = EVERYTHING) -> None:
        """Answer at once, with everything."""
        self._on_answer(Answer(self._world.gpus(self._clock()), LATENCY_S))

    def stop(self) -> None:
        """There is nothing to stop."""
