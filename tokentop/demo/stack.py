"""The simulated stack: everything about it at one moment, as a function of time and seed.

In a loop of three minutes it goes from idle through every tier to saturated and back; a cloud
instance comes up and winds down, and one service fails for a while.
"""

from functools import lru_cache

from tokentop.demo.curve import LOOP_S, Points, value_at
from tokentop.demo.hardware import devices_at
from tokentop.demo.noise import drift
from tokentop.domain.readings import DeviceReading
from tokentop.light_typing import Final
from tokentop.named_tuple import NamedTuple

HOST: Final = "gpu-box-01"
MAX_SLOTS: Final = 48
FAILING: Final = "parallel"  # the service that fails: it feeds no formula, so the walk goes on
REFUSES_FROM, ERRORS_FROM, BACK_FROM = 60.0, 75.0, 85.0  # seconds into the loop

_WALK: Final[Points] = (  # (seconds into the loop, pressure); straight lines between
    (0, 0.04), (12, 0.08), (20, 0.18), (30, 0.36), (36, 0.44), (46, 0.56), (54, 0.66),
    (64, 0.77), (70, 0.84), (84, 0.92), (91, 0.975), (112, 0.980), (118, 0.91), (126, 0.83),
    (132, 0.74), (138, 0.62), (144, 0.53), (150, 0.42), (156, 0.30), (166, 0.14), (172, 0.06),
    (180, 0.04),
)  # fmt: skip
_WOBBLE: Final = 0.008  # of the pressure; small enough for every tier to be entered once each way
_FULL_FROM, _FULL_TO = 91.0, 112.0  # back-pressure is reported

_MODELS: Final = (  # (name, pressure from which it is loaded)
    ("qwen3.6-27b", 0.0), ("gemma4-12b", 0.2), ("whisper-v3", 0.45), ("deepseek-r2-70b", 0.7),
)  # fmt: skip


class Instance(NamedTuple):
    """A rented instance; money USD."""

    id: str
    gpu: str
    region: str
    model: str
    price_per_hour: float
    phase: str


class State(NamedTuple):
    """The stack at one moment. `t` is the demo clock, `into` the seconds into the loop."""

    t: float
    into: float
    seed: int
    pressure: float
    active: int
    queued: int
    max_slots: int
    back_pressure: bool
    models: tuple[str, ...]
    devices: tuple[DeviceReading, ...]
    instances: tuple[Instance, ...]
    fails: bool = False  # whether the service that fails does


class Rental(NamedTuple):
    """One instance's course: seconds into the loop at which each phase starts."""

    gpu: str
    region: str
    model: str
    price_per_hour: float
    phases: tuple[tuple[float, str], ...]
    gone: float


RENTALS: Final = (
    Rental(
        "RTX 4090", "US-East", "qwen3.6-27b", 0.42,
        ((70.0, "provisioning"), (80.0, "starting"), (85.0, "running"), (168.0, "terminating")),
        176.0,
    ),
    Rental(
        "H100 80GB", "EU-North", "deepseek-r2-70b", 2.49,
        ((97.0, "provisioning"), (105.0, "running"), (134.0, "terminating")),
        142.0,
    ),
)  # fmt: skip


@lru_cache(maxsize=4)
def simulate(t: float, seed: int = 0) -> State:
    """The stack `t` seconds after the demo began; equal arguments give equal states."""
    t = max(0.0, t)
    cycle, into = divmod(t, LOOP_S)
    pressure = pressure_at(_WALK, t, seed)
    return State(
        t=t,
        into=into,
        seed=seed,
        pressure=pressure,
        active=min(MAX_SLOTS, round(MAX_SLOTS * pressure * 1.12)),
        queued=round(64 * max(0.0, (pressure - 0.70) / 0.28) ** 3),
        max_slots=MAX_SLOTS,
        back_pressure=_FULL_FROM <= into < _FULL_TO,
        models=tuple(name for name, start in _MODELS if value_at(_WALK, into) >= start),
        devices=devices_at(t, seed, pressure, HOST),
        instances=instances_at(RENTALS, int(cycle), into),
        fails=REFUSES_FROM <= into < BACK_FROM,
    )


def pressure_at(walk: Points, t: float, seed: int) -> float:
    """The walk's pressure 0-1, with a wobble."""
    return min(1.0, max(0.0, value_at(walk, t % LOOP_S) + _WOBBLE * drift(seed, 0, t)))


def instances_at(rentals: tuple[Rental, ...], cycle: int, into: float) -> tuple[Instance, ...]:
    """What is rented in the loop's `cycle`; every loop rents others."""
    return tuple(
        Instance(
            f"cloud-{(len(rentals) * cycle + place) % 1000 + 1:02}",
            rental.gpu,
            rental.region,
            rental.model,
            rental.price_per_hour,
            [phase for start, phase in rental.phases if into >= start][-1],
        )
        for place, rental in enumerate(rentals)
        if rental.phases[0][0] <= into < rental.gone
    )
