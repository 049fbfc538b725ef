"""What is simulated, by the part that plays: what answers where, which GPUs, which engines.

Everything is a function of the demo's time and the seed.
"""

from tokentop.config.schema import Config
from tokentop.demo.answers import Answer, answer
from tokentop.demo.stack import HOST, State, simulate
from tokentop.domain.readings import GpusReading
from tokentop.domain.urls import Target
from tokentop.named_tuple import NamedTuple
from tokentop.transport.discovery.findings import Findings, Found

_BEFORE_S = {"whole": 44.0, "engines": 44.0, "gpus": 44.0, "fleet": 20.0, "stack": 0.0}
_HISTORY_S = {"whole": 600.0, "engines": 600.0, "gpus": 3600.0, "fleet": 240.0, "stack": 3600.0}
LOOPBACK = ("127.0.0.1", "localhost")


class World(NamedTuple):
    """One part of the demo (DEMO_PARTS); `t` is the demo's time in seconds."""

    part: str = "whole"
    seed: int = 0
    group_by: str | None = None

    @property
    def has_engines(self) -> bool:
        """Whether it has engines of its own, rather than a server that knows some."""
        return self.part in ("whole", "engines")

    @property
    def has_stack(self) -> bool:
        return self.part in ("whole", "stack")

    @property
    def before_s(self) -> float:
        """For how long it ran before a view begins: counters have rates and trends by then.

        The stack alone has no counters, and its walk begins with the first poll.
        """
        return _BEFORE_S[self.part]

    @property
    def history_s(self) -> float:
        """How much of the past is played for a frozen moment: a poll of a fleet takes 30 ms."""
        return _HISTORY_S[self.part]

    def answer(self, target: Target, t: float) -> Answer | None:
        """What one GET gives; None where nothing listens."""
        if self.part == "fleet":
            return self._fleet(target, t)
        if self.has_engines and target.host in LOOPBACK:
            from tokentop.demo.engine_answers import engine_answer
            from tokentop.demo.engines import ENGINES

            for engine in ENGINES:
                if engine.port == target.port:
                    return engine_answer(engine, target.path, t, self.seed)
        return answer(target.path, self._state(t)) if self.has_stack else None

    def gpus(self, t: float) -> GpusReading:
        """What the driver reads of this machine's GPUs."""
        if self.part == "gpus":
            from tokentop.demo.machine import training

            return GpusReading(training(t, self.seed, HOST), driver_version="demo")
        from tokentop.demo.gpu_page import detailed

        devices = tuple(detailed(device, t) for device in self._state(t).devices)
        return GpusReading(devices, driver_version="demo")

    def found(self, t: float) -> Findings:
        """What a search for engines finds: those whose process runs."""
        if not self.has_engines:
            return Findings()
        from tokentop.demo.engines import ENGINES, Engine, state_of

        def row(engine: Engine) -> Found:
            return Found(
                engine.kind, engine.url, engine.pids, engine.slots, engine.model,
                source="gpu", one_pool=False,
            )  # fmt: skip

        running = [engine for engine in ENGINES if state_of(engine, t) != "dead"]
        return Findings(found=tuple(map(row, running)))

    def _state(self, t: float) -> State:
        if self.part == "stack":
            return simulate(t, self.seed)
        from tokentop.demo.whole import whole

        return whole(t, self.seed)

    def _fleet(self, target: Target, t: float) -> Answer | None:
        from tokentop.config.demo import PROMETHEUS_URL
        from tokentop.demo.prometheus import prometheus_answer

        if target.origin != PROMETHEUS_URL:
            return None
        return prometheus_answer(target.path, t, self.seed, self.group_by)


def world_of(config: Config) -> World:
    """The world that a configuration's demo plays."""
    return World(config.demo.part, config.demo.seed, config.prometheus.group_by)


__all__ = ["HOST", "World", "world_of"]
