"""Example snapshots, described by what every source of a machine answered and made by the fold.

A test says which GPUs there are, which services answered what and how long ago, and which engines
run under what load. Sums, demand, prices, states and ages are the program's own. Times are
monotonic seconds; NOW is when every box is looked at.
"""

from typing import Any

from tests.domain.scenario import fold
from tests.serving import AGE_S, NOW, Serving, observed
from tokentop.domain.economy.cost import CostMeter
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.fold.fold import FoldInput, ServiceObservation
from tokentop.domain.fold.last_good import NEVER, LastGoodCache
from tokentop.domain.readings import (
    DeviceReading,
    Failure,
    GpusReading,
    InstancesReading,
    OffersReading,
    Reading,
)
from tokentop.domain.snapshot import AITHER_SERVICES, Process, Snapshot
from tokentop.domain.snapshot_engines import Engine, TokensSeen
from tokentop.sources.aither.endpoints import ENDPOINTS, default_url
from tokentop.transport.http.failures import failure_for_exception, failure_for_status, timed_out

GIB = 2**30
AT = "2026-11-21T12:04:31Z"
WALL = 1_795_262_671.0  # the same moment in Unix seconds
HOST = "gpu-box-01"
# Seconds an answer of each source takes: nvml 2.1 ms, the seven services 3.2 ms and more.
LATENCY_S = {"nvml": 0.0021} | {n: 0.0032 + 0.0017 * i for i, n in enumerate(AITHER_SERVICES)}
URLS = {name: default_url(name, ca_found=False) for name in AITHER_SERVICES}
NO_DRIVER = Failure("absent", "no NVIDIA driver here: libnvidia-ml.so.1 was not found")

DRIVER_HANGS = Failure(
    "timeout",
    "the NVIDIA driver does not answer (nvmlInit has lasted 47.0 s): see dmesg for Xid messages,"
    " then reload it or reboot",
)


def keys(service: str) -> tuple[str, ...]:
    """The cache keys of one of the seven services."""
    return tuple(row.key for row in ENDPOINTS if row.service == service)


def refused(url: str) -> Failure:
    """What a transport makes of a port where nothing listens."""
    return failure_for_exception(ConnectionRefusedError(), url, 2.5)


def server_error(service: str) -> Failure:
    """What a transport makes of a 500."""
    failure = failure_for_status(500, URLS[service])
    assert failure is not None
    return failure


def timeout(url: str) -> Failure:
    """What a transport makes of silence."""
    return timed_out(url, 2.5)


class Box:
    """One machine and everything its sources have answered up to now.

    `configured`: the seven services are named in the configuration.
    `measured_s` is for how long its costs have been measured, `busy_s` for how long of that the
    present load has run. Other keywords are the fold's inputs: `policy`, `priced`, `below_since`.
    """

    def __init__(
        self,
        host: str = HOST,
        *,
        configured: bool = False,
        measured_s: float = 3600.0,
        busy_s: float = 2700.0,
        **given: Any,
    ) -> None:
        usual = FoldInput(
            host=host, at=AT, now=NOW, wall=WALL, version="0.1.0", priced=False, stale_after_s=12.0
        )
        self._inputs = usual._replace(**given)
        self._cache = LastGoodCache()
        self._engines: tuple[EngineObservation, ...] = ()
        self._clouds: list[ServiceObservation] = []
        self._measured_s, self._busy_s = measured_s, busy_s
        self._configured = configured

    def answers(
        self,
        key: str,
        *results: Reading | Failure,
        age_s: float = AGE_S,
        latency_s: float | None = None,
    ) -> "Box":
        """The source `key` gave these results, the last of them `age_s` seconds ago."""
        latency_s = latency_s or LATENCY_S.get(key.partition("/")[0])
        for result in results:
            self._cache.record(key, result, NOW - age_s, latency_s)
        return self

    def gpus(self, *devices: DeviceReading, **how: float) -> "Box":
        """The local driver lists these; `how` as of `answers`."""
        return self.answers("nvml", GpusReading(devices), **how)

    def down(self, service: str, failure: Failure | None = None, *, often: bool = False) -> "Box":
        """The service never answers, usually because nothing listens; `often`: it backs off."""
        for key in keys(service):
            self.answers(key, failure or refused(URLS[service]))
            self._cache.set_backing_off(key, often)
        return self

    def silent(self, *sources: str, age_s: float) -> "Box":
        """These gave their last good answer `age_s` ago and have timed out since; else all."""
        for key, held in self._cache.all().items():
            name = key.partition("/")[0]
            if held.good is not None and (not sources or name in sources):
                failure = timeout(URLS[name]) if name in URLS else DRIVER_HANGS
                self.answers(key, held.good, failure, age_s=age_s)
        return self

    def cloud(self, name: str, url: str, offers: OffersReading, rented: InstancesReading) -> "Box":
        """A cloud that rents GPUs is configured and listed these."""
        listed = (f"{name}/offers", offers), (f"{name}/instances", rented)
        for key, reading in listed:
            self.answers(key, reading)
        self._clouds.append(
            ServiceObservation(
                name, url, keys=tuple(key for key, _ in listed), configured=True, kind="offers"
            )
        )
        return self

    def engines(self, *found: Serving | EngineObservation) -> "Box":
        """These engines run here, or are known through a Prometheus server."""
        self._engines += tuple(observed(e) if isinstance(e, Serving) else e for e in found)
        return self

    def snapshot(self) -> Snapshot:
        """What the program makes of it now."""
        held = dict(self._cache.all())
        services = (
            *self._clouds,
            *(
                ServiceObservation(name, URLS[name], keys=keys(name), configured=self._configured)
                for name in URLS
            ),
        )
        nvml = held.pop("nvml", NEVER)
        inputs = self._inputs._replace(
            held=held, nvml=nvml, services=tuple(services), engines=self._engines
        )
        folded = fold(inputs)
        return self._metered(folded) if self._engines else folded

    def _metered(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with its costs, read once a minute; before the load came nothing ran."""
        idle = snapshot._replace(llm=snapshot.llm._replace(active=0))
        meter = CostMeter(self._inputs.policy.cost)
        for before_s in range(round(self._measured_s), -1, -60):
            then = snapshot if before_s <= self._busy_s else idle
            counted = tuple(_counted(e, self._busy_s - before_s) for e in snapshot.engines)
            found = meter.price(then._replace(engines=counted), NOW - before_s)
        return snapshot._replace(cost=found.cost, pricing=found.pricing)


def _counted(engine: Engine, busy_s: float) -> Engine:
    """The engine after `busy_s` seconds of its load; a fleet's engines have a rate alone."""
    speed = engine.generation_tokens_per_s
    if speed is None:
        return engine
    if engine.source == "prometheus":
        return engine if busy_s > 0.0 else engine._replace(generation_tokens_per_s=0.0)
    seen = TokensSeen(None, round(speed * max(0.0, busy_s)), engine.rate_at_least)
    return engine._replace(tokens_seen=seen)


def process(pid: int, name: str, user: str = "serve", gib: float | None = None) -> Process:
    """One process that holds VRAM; sizes in GiB."""
    return Process(pid, name, user, None if gib is None else round(gib * GIB))


def device(
    index: int,
    used: float | None,
    total: float = 140.4,
    *processes: Process,
    name: str = "NVIDIA H200",
    **changes: object,
) -> DeviceReading:
    """One healthy GPU; sizes in GiB. Utilisation, heat and power follow the fill."""
    fill = (used or 0.0) / total
    reading = DeviceReading(
        index=index,
        uuid=f"GPU-{index:08x}-0000-4000-8000-000000000000",
        name=name,
        vram_used_bytes=None if used is None else int(used * GIB),
        vram_total_bytes=int(total * GIB),
        utilization=min(1.0, round(fill * 1.08, 2)),
        temperature_c=float(round(31 + 38 * fill)),
        power_w=float(round(76 + 590 * fill)),
        power_limit_w=700.0,
        processes=processes,
    )
    return reading._replace(**changes)  # type: ignore[arg-type]


def row(one: Serving) -> Engine:
    """The engine as it is listed, alone on a machine."""
    return Box().engines(one).snapshot().engines[0]
