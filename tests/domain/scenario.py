"""Readings for the fold: which source answered what, how long ago, and which timed out since."""

from tokentop.domain.fold.fold import FoldInput, ServiceObservation, fold_with_memory
from tokentop.domain.fold.last_good import LastGoodCache
from tokentop.domain.policy import Policy
from tokentop.domain.readings import Failure, Reading
from tokentop.domain.snapshot import AITHER_SERVICES, Service, Snapshot

NOW = 1000.0
KEYS = (
    "genesis/llm_queue",
    "genesis/agents",
    "genesis/llm_slots",
    "microscheduler/queue_stats",
    "microscheduler/capacity",
    "microscheduler/vram_status",
    "compute/gpu_devices",
    "compute/cloud_instances",
    "compute/cloud_offers",
    "accel/gpu_metrics",
    "accel/status",
    "parallel/streams_stats",
    "mint/mint_pool",
    "mint/mint_rates",
    "acta/compute_pressure",
)
TIMEOUT = Failure("timeout", "no complete answer within 2.5 s")
VIEWS = tuple(
    ServiceObservation(
        name, f"http://{name}", True, tuple(k for k in KEYS if k.startswith(name + "/")), True
    )
    for name in AITHER_SERVICES
)


def fold(given: FoldInput) -> Snapshot:
    """One snapshot, without what is kept for the next."""
    return fold_with_memory(given)[0]


class Scenario:
    """Builds a FoldInput step by step; every answer is 1 s old unless given otherwise."""

    def __init__(self, **changes: object) -> None:
        self.cache = LastGoodCache()
        self.changes = changes

    def says(self, key: str, *readings: Reading | Failure, age: float = 1.0) -> "Scenario":
        """`key` answered this, the last of it `age` seconds ago."""
        for reading in readings:
            self.cache.record(key, reading, NOW - age, 0.02)
        return self

    def silent(self, key: str, reading: Reading, age: float = 60.0) -> "Scenario":
        """`key` answered `age` seconds ago and has timed out since."""
        return self.says(key, reading, age=age).says(key, TIMEOUT)

    def backing_off(self, *keys: str) -> "Scenario":
        for key in keys:
            self.cache.set_backing_off(key, True)
        return self

    def input(self) -> FoldInput:
        held = {key: self.cache.held(key) for key in KEYS}
        base = FoldInput(held, self.cache.held("nvml"), VIEWS, Policy(), "box", now=NOW)
        return base._replace(**self.changes)

    def fold(self) -> Snapshot:
        return fold(self.input())

    def service(self, name: str) -> Service:
        return next(service for service in self.fold().services if service.name == name)
