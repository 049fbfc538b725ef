"""The simulated fleet: 64 engines on 16 nodes, and their GPUs, at any moment."""

from functools import cache

from tokentop.demo.curve import LOOP_S, Points, clamp, value_at
from tokentop.demo.engines import Engine, Load, load_at
from tokentop.demo.noise import drift
from tokentop.domain.engines.readings import EngineKind
from tokentop.light_typing import Final
from tokentop.named_tuple import NamedTuple

NODES: Final = 16
ON_NODE: Final = 4  # engines
GPUS_EACH: Final = 2
SCRAPE_S: Final = 15.0
_DOWN: Final = (37, 70.0, 140.0)  # an engine's number; seconds into the loop without it

_DAY: Final[Points] = (
    (0, 0.62), (30, 0.78), (60, 1.02), (80, 1.18), (100, 0.96), (130, 0.60), (155, 0.44),
    (180, 0.62),
)  # fmt: skip
_MODELS: Final[tuple[tuple[str, EngineKind, int, float, float], ...]] = (
    # (model, kind, slots, speed, how much busier than the mean)
    ("qwen3.6-27b", "vllm", 128, 62.0, 0.0), ("gemma4-12b", "vllm", 192, 88.0, -0.14),
    ("llama4-scout", "vllm", 96, 54.0, 0.06), ("deepseek-r2-70b", "sglang", 64, 44.0, 0.12),
)  # fmt: skip


class Target(NamedTuple):
    """One engine as Prometheus scrapes it."""

    number: int
    engine: Engine
    lean: float

    @property
    def node(self) -> str:
        return f"gpu{self.number // ON_NODE + 1:02}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels that a scraped series of it has."""
        instance = f"{self.node}:{self.engine.port}"
        kind = self.engine.kind
        return {"job": kind, "instance": instance, "model_name": self.engine.model}


@cache
def targets() -> tuple[Target, ...]:
    """Every engine: a node serves each of four models once."""
    return tuple(_target(number) for number in range(NODES * ON_NODE))


def _target(number: int) -> Target:
    model, kind, slots, speed, lean = _MODELS[number % len(_MODELS)]
    port = 8000 + number % ON_NODE
    engine = Engine(kind, port, model, (), (), 0.9, slots, speed, 480.0, 1900.0, 0.14, _DAY)
    return Target(number, engine, lean)


def is_up(target: Target, t: float) -> bool:
    """Whether it can be scraped."""
    number, gone, back = _DOWN
    return target.number != number or not gone <= t % LOOP_S < back


def load_of(target: Target, t: float, seed: int) -> Load:
    """Its load at the latest scrape; the nodes are not equally busy."""
    scraped = t - age_s(target, t)
    own = 0.10 * drift(seed, 500 + target.number, scraped / 4)
    return load_at(target.engine, clamp(value_at(_DAY, scraped % LOOP_S) + target.lean + own, 0, 2))


def age_s(target: Target, t: float) -> float:
    """Seconds since it was scraped; each has its own second of the interval."""
    return (t + 0.7 * target.number) % SCRAPE_S
