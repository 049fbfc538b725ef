"""plan -> what to ask; record -> what came; snapshot -> the fold. The same steps for every view.

The collector holds no socket, thread or clock: its caller asks and brings the answers.
"""

from collections.abc import Callable, Mapping
from time import gmtime, localtime, strftime

from tokentop import __version__
from tokentop.collect.breaker import Breaker, Outcome
from tokentop.collect.http_sources import (
    HttpSource,
    ServiceResult,
    observations_of,
    read,
    service_poll,
    sources_of,
)
from tokentop.collect.manners import ServiceManners, restored, still_stands
from tokentop.config.schema import Config
from tokentop.domain.economy.capacity import below_since
from tokentop.domain.fold.cloud import ended_by_stack
from tokentop.domain.fold.fold import FoldInput, fold_with_memory
from tokentop.domain.fold.last_good import LastGood, LastGoodCache
from tokentop.domain.readings import Failure, GpusReading, Reading
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import TYPE_CHECKING
from tokentop.transport.http.messages import Reply

if TYPE_CHECKING:  # imported only where there is an engine, a price or a ledger
    from tokentop.collect.engines import EngineRegistry
    from tokentop.domain.economy.cost import CostMeter
    from tokentop.domain.engines.observation import EngineObservation
    from tokentop.domain.snapshot_ledger import LedgerFigures
    from tokentop.domain.verdict.verdict import Memory

__all__ = ["Collector", "HttpSource", "ServiceResult", "service_poll"]

NVML = "nvml"
# Prices mean something where the user set one; flipping the free switch sets none.
_PRICES = ("pricing.base_cost_tokens", "pricing.tokens_per_usd", "pricing.gpu_tokens_per_hour")


class Collector:
    """One last-good cache, one breaker per endpoint; `now` is monotonic seconds throughout.

    `interval_s` may be changed while running; it bounds how old a fresh answer may be. `ledger`
    has the ledger's figures at a moment in Unix seconds; without one there are none.
    """

    def __init__(self, config: Config, host: str, demo: bool) -> None:
        self.interval_s = config.interval_s
        self.ledger: Callable[[float], LedgerFigures | None] | None = None
        self.sources = sources_of(config)
        self._config = config
        self._host = host
        self._demo = demo
        self._last_good = LastGoodCache()
        self._by_key = {source.key: source for source in self.sources}
        self._breakers = {source.key: Breaker() for source in self.sources}
        self._views = observations_of(config, self.sources)
        unconfigured = (view for view in self._views if not view.configured)
        self._pauses = {one.key: one.pause_s for one in self.sources if one.pause_s}
        self._manners = ServiceManners((view.keys for view in unconfigured), self._pauses)
        self._priced = demo or _has_prices(config)
        self._below_since: float | None = None
        self._verdict: Memory = {}
        self._registry: EngineRegistry | None = None
        self._meter: CostMeter | None = None
        if config.engines or config.prometheus.url is not None:
            self.engines()

    def engines(self) -> "EngineRegistry":
        """The engines' part of the collector, made when it is first needed."""
        if self._registry is None:
            from tokentop.collect.engines import EngineRegistry

            self._registry = EngineRegistry(self._config, self._host)
        return self._registry

    @property
    def has_engines(self) -> bool:
        """Whether there is any engine to ask."""
        return self._registry is not None and bool(self._registry.ids())

    def due(self, key: str, now: float) -> bool:
        """Whether to poll now; False while the breaker holds the endpoint back, or manners do."""
        url = self._by_key[key].request.url
        taken = self._registry is not None and self._registry.is_at(url)
        if not self._manners.may_poll(key, now, taken=taken):
            return False
        return self._breakers[key].allow(now)

    def record(self, key: str, result: ServiceResult | Reply | Failure, now: float) -> None:
        """Take one poll's result, or the answer it is made of."""
        if not isinstance(result, ServiceResult):
            result = read(self._by_key[key], result)
        self._breakers[key].record(_outcome(result.reading), now)
        failure = result.reading if isinstance(result.reading, Failure) else None
        self._manners.record(key, failure, now)
        self._last_good.record(key, result.reading, now, result.latency_s)

    def record_gpus(
        self, result: GpusReading | Failure, now: float, latency_s: float | None
    ) -> None:
        """Take the local driver's answer."""
        self._last_good.record(NVML, result, now, latency_s)

    def gpu_pids(self) -> tuple[int, ...] | None:
        """The processes on this host's GPUs; None before the driver's first answer."""
        held = self._last_good.held(NVML)
        if held.outcome is None:
            return None
        devices = held.good.devices if isinstance(held.good, GpusReading) else ()
        pids = (process.pid for device in devices for process in device.processes or ())
        return tuple(dict.fromkeys(pids))

    def snapshot(self, now: float, wall: float) -> Snapshot:
        """Everything known at `now`; `wall` is the same moment in Unix seconds."""
        for key, breaker in self._breakers.items():
            self._last_good.set_backing_off(key, breaker.state(now) != "closed")
        snapshot, self._verdict = fold_with_memory(self._fold_input(now, wall))
        self._below_since = below_since(
            self._below_since,
            snapshot.demand.utilization,
            ended_by_stack(snapshot.cloud),
            now,
            self._config.policy.capacity,
        )
        if self.ledger is not None:
            snapshot = snapshot._replace(ledger=self.ledger(wall))
        return self._with_cost(snapshot, now)

    @property
    def config(self) -> Config:
        """The configuration in force; every view reads prices and thresholds from here."""
        return self._config

    def apply_policy(self, config: Config) -> bool:
        """Take over what may change while running; whether that was all of a changed file.

        These are the prices, thresholds, the profile, the alerts, the budgets and where to record.

        The rest of the file takes effect at the next start.
        """
        if config.policy.cost != self._config.policy.cost:
            self._meter = None
        new = self._config._replace(
            policy=config.policy,
            alerts=config.alerts,
            budgets=config.budgets,
            authorize=config.authorize,
            recording=config.recording,
            origins=config.origins,
        )
        self._config = new
        self._priced = self._demo or _has_prices(new)
        return config._replace(file=new.file, warnings=new.warnings) == new

    def dump(self) -> dict[str, object]:
        """What a one-shot view leaves for its next call, as plain JSON values."""
        from tokentop.domain.fold.saved_readings import dump

        return {
            "tiers": {pool: list(tier) for pool, tier in self._verdict.items()},
            "readings": dump(self._last_good.all()),
            "engines": {} if self._registry is None else self._registry.dump(),
            "asked": self._manners.dump(),
            "cost": None if self._meter is None else self._meter.dump(),
        }

    def restore(self, saved: Mapping[str, object], now: float) -> None:
        """Take what an earlier call left, before the first answer; malformed parts are ignored."""
        from tokentop.domain.fold.saved_readings import restore
        from tokentop.domain.verdict.tiers import restored as restored_tiers

        known = restore(saved.get("readings"), now)
        self._last_good.restore({key: one for key, one in known.items() if key in self._by_key})
        self._restore_paused(known)
        self._verdict = restored_tiers(saved.get("tiers"), now)
        self._restore_asked(saved.get("asked"), now)
        if engines := saved.get("engines"):
            self.engines().restore(engines, now)
        if cost := saved.get("cost"):
            self._cost_meter().restore(cost, now)

    def _restore_paused(self, known: Mapping[str, LastGood]) -> None:
        """What is polled seldom stands as it was answered: its time has not come again."""
        for key in self._pauses.keys() & known.keys():
            good, at = known[key].good, known[key].good_at
            if good is not None and at is not None:
                self._manners.record(key, None, at)
                self._last_good.record(key, good, at, None)

    def _restore_asked(self, saved: object, now: float) -> None:
        """What is not polled again stands as it was answered."""
        asked = {
            key: one
            for key, one in restored(saved, now).items()
            if key in self._by_key and still_stands(one[1], self._by_key[key].request)
        }
        self._manners.restore(asked)
        for key, (at, failure) in asked.items():
            if not self.due(key, now):
                self._last_good.record(key, failure, at, None)

    def _with_cost(self, snapshot: Snapshot, now: float) -> Snapshot:
        """The snapshot with its costs; measuring begins with the first answer."""
        if not snapshot.engines and not _costs(self._config):
            return snapshot
        if self._meter is None and snapshot.data_age_s is None:
            return snapshot
        return self._cost_meter().price(snapshot, now)

    def _cost_meter(self) -> "CostMeter":
        """The cost meter, made when it is first needed."""
        if self._meter is None:
            from tokentop.domain.economy.cost import CostMeter

            self._meter = CostMeter(self._config.policy.cost)
        return self._meter

    def _fold_input(self, now: float, wall: float) -> FoldInput:
        held = {
            one.key: self._last_good.held(one.key)._replace(pause_s=one.pause_s)
            for one in self.sources
        }
        fleet = self._registry.fleet if self._registry is not None else None
        stale_after_s = self._stale_after_s
        return FoldInput(
            held=held if fleet is None else held | fleet.held(),
            nvml=self._last_good.held(NVML),
            services=self._views,
            policy=self._config.policy,
            host=self._host,
            interval_s=self.interval_s,
            stale_after_s=stale_after_s,
            demo=self._demo,
            now=now,
            at=rfc3339(wall),
            below_since=self._below_since,
            version=__version__,
            nvml_enabled=self._config.gpus,
            priced=self._priced,
            engines=self._observations(now, stale_after_s),
            pooled=fleet.pooled(now, stale_after_s) if fleet is not None else None,
            wall=wall,
            utc_offset_s=0.0 if self._demo else localtime(wall).tm_gmtoff,
            before=self._verdict,
        )

    @property
    def _stale_after_s(self) -> float:
        """For how long a good answer counts as fresh: three intervals, and one slow answer."""
        return max(3 * self.interval_s, 2 * self.interval_s + self._config.timeout_s)

    def _observations(self, now: float, stale_after_s: float) -> "tuple[EngineObservation, ...]":
        if self._registry is None:
            return ()
        return self._registry.observations(now, stale_after_s)


def rfc3339(wall: float) -> str:
    """Unix seconds as RFC 3339 in UTC, to the millisecond."""
    seconds, milliseconds = divmod(round(wall * 1000), 1000)
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)) + f".{milliseconds:03d}Z"


def _outcome(result: Reading | Failure) -> Outcome:
    if not isinstance(result, Failure):
        return "ok"
    return "neutral" if result.neutral else "failed"


def _costs(config: Config) -> bool:
    """Whether any cost of the machine is configured."""
    cost = config.policy.cost
    told = (cost.usd_per_gpu_hour, cost.purchase_usd, cost.usd_per_kwh, cost.reference_usd_per_mtok)
    return any(value is not None for value in told)


def _has_prices(config: Config) -> bool:
    """Whether the stack, or a price, was named by the user rather than assumed."""
    origins = dict(config.origins)
    return any(service.configured for service in config.services) or any(
        origins.get(key, "default") != "default" for key in _PRICES
    )
