"""The whole machine: the seven services in front of the three engines, in one story.

It starts busy, meets a surge and a model that is full, loses an engine for half a minute, and
calms down.
"""

from functools import lru_cache

from tokentop.demo.curve import LOOP_S, Points
from tokentop.demo.engines import ENGINES, load
from tokentop.demo.machine import machine
from tokentop.demo.stack import (
    HOST,
    RENTALS,
    Instance,
    State,
    instances_at,
    pressure_at,
)
from tokentop.light_typing import Final

_WALK: Final[Points] = (
    (0, 0.47), (18, 0.54), (36, 0.68), (48, 0.81), (62, 0.89), (76, 0.94), (86, 0.90), (98, 0.76),
    (114, 0.63), (134, 0.48), (150, 0.35), (166, 0.33), (180, 0.47),
)  # fmt: skip
_KEPT: Final = Instance("cloud-00", "L40S", "EU-West", "gemma4-12b", 0.86, "running")


@lru_cache(maxsize=4)
def whole(t: float, seed: int = 0) -> State:
    """The stack in front of the engines `t` seconds after the demo began, or before."""
    cycle, into = divmod(t, LOOP_S)
    loads = [load(engine, t, seed) for engine in ENGINES]
    rented = instances_at(RENTALS, int(cycle), into)
    return State(
        t=t,
        into=into,
        seed=seed,
        pressure=pressure_at(_WALK, t, seed),
        active=sum(one.active for one in loads),
        queued=sum(one.queued for one in loads),
        max_slots=sum(engine.slots for engine in ENGINES),
        back_pressure=False,
        models=tuple(e.model for e, one in zip(ENGINES, loads, strict=True) if one.busy),
        devices=machine(t, seed, HOST),
        instances=(_KEPT, *rented),
    )
