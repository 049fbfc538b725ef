"""The Prometheus server's polling state, and its engines as observations for the fold.

Imported only where one is configured.
"""

from collections.abc import Sequence

from tokentop.collect.breaker import Breaker
from tokentop.collect.engine import PendingPoll, PollResult
from tokentop.config.schema import Config
from tokentop.domain.engines.fleet_readings import FleetEngine, FleetReading
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.readings import EngineReading, Histograms
from tokentop.domain.fold.last_good import LastGood, LastGoodCache
from tokentop.domain.readings import Failure, GpusReading
from tokentop.domain.urls import LOOPBACK, is_loopback, split
from tokentop.light_typing import Literal
from tokentop.sources.prometheus.fleet import MAX_BYTES, Fleet
from tokentop.transport.http.messages import Request, safe_url

GPUS = "prometheus/gpus"
SCRAPED_S = 150.0  # the longest usual time between two scrapes, and half of one more
PAUSE_PER_ENGINE_S = 0.006  # 500 engines at every poll, 2000 every 12 s
MIXED = "series of {} stand on one target: whose the figures are cannot be known"
DOWN = Failure("unreachable", "the fleet's server cannot scrape it any more (up = 0)")


def request_of(config: Config) -> Request:
    """The server's own URL, with its token and limits."""
    server = config.prometheus
    return Request(
        url=server.url or "",
        timeout_s=config.timeout_s,
        max_bytes=MAX_BYTES,
        token=server.token,
        ca_bundle=server.ca_bundle,
        verify=server.verify,
    )


class PrometheusTarget:
    """One server with its breaker and its last good word; times are monotonic seconds."""

    id = "prometheus"

    def __init__(self, config: Config, host: str) -> None:
        self._request = request_of(config)
        self._host = host
        self._fleet = Fleet(config.prometheus.group_by)
        self._breaker = Breaker()
        self._last_good = LastGoodCache()
        self._reading: FleetReading | None = None
        self._good_at: float | None = None
        self._outcome: Literal["ok"] | Failure | None = None
        self._latency_s: float | None = None

    def poll(self, now: float) -> PendingPoll | None:
        """One poll; None while the breaker holds it back, or a large fleet is left in peace."""
        if not self._breaker.allow(now) or now - (self._good_at or -1e9) < self._pause_s:
            return None
        return PendingPoll(self.id, self._fleet.poll(now), self._request)

    def record(self, result: PollResult, now: float, latency_s: float | None) -> None:
        """Take one poll's result; a failure leaves the last good word where it is."""
        self._latency_s = latency_s
        if isinstance(result, FleetReading):
            self._breaker.record("ok", now)
            self._outcome, self._good_at, self._reading = "ok", now, result
            self._last_good.record(GPUS, GpusReading(result.devices), now, latency_s)
        elif isinstance(result, Failure):
            self._outcome = result
            self._breaker.record("neutral" if result.neutral else "failed", now)
            self._last_good.record(GPUS, result, now, latency_s)

    @property
    def _pause_s(self) -> float:
        """Between two polls at least, and so no silence."""
        return PAUSE_PER_ENGINE_S * len(self._reading.engines) if self._reading else 0.0

    def held(self) -> dict[str, LastGood]:
        """The fleet's GPUs as one more source; between two polls they stay fresh."""
        found = self._last_good.held(GPUS)
        if found.good_at is None:
            return {}
        return {GPUS: found._replace(pause_s=self._pause_s)}

    def pooled(self, now: float, stale_after_s: float) -> Histograms | None:
        """The observations of the last minute, while the server answers."""
        if self._reading is None or now - (self._good_at or 0.0) > stale_after_s + self._pause_s:
            return None
        return self._reading.latencies

    def observations(
        self, now: float, places: Sequence[str], stale_after_s: float
    ) -> tuple[EngineObservation, ...]:
        """The server itself, and its engines but those that are read directly at `places`."""
        engines = self._reading.engines if self._reading is not None else ()
        known = {here for place in places for here in self._names(place)}
        others = [e for e in engines if e.place.casefold() not in known]
        return (
            self._server(now, stale_after_s),
            *(self._observation(engine, now, stale_after_s) for engine in others),
        )

    def _names(self, place: str) -> set[str]:
        """The addresses by which the fleet's server may know an engine of ours."""
        target, server = split(place), split(self._request.url)
        if target is None:
            return set()
        hosts = {target.host.casefold()}
        if is_loopback(target.host):
            same_machine = server is not None and (
                is_loopback(server.host) or server.host == self._host
            )
            hosts = {self._host.casefold()} | (set(LOOPBACK) if same_machine else set())
        return {f"{host}:{target.port}" for host in hosts if host}

    def _server(self, now: float, stale_after_s: float) -> EngineObservation:
        """A row that is never summed: how the server answers, and what it leaves out."""
        notes = self._reading.notes if self._reading is not None else ()
        url = safe_url(self._request.url)
        return EngineObservation(
            id=self.id,
            kind="prometheus",
            url=url,
            name=f"prometheus {url.partition('://')[2]}",
            reading=EngineReading("openai", router=True, advice="; ".join(notes) or None),
            age_s=None if self._good_at is None else max(0.0, now - self._good_at),
            outcome=self._outcome,
            backing_off=self._breaker.state(now) != "closed",
            latency_s=self._latency_s,
            source="prometheus",
            lag_s=self._pause_s,
            configured=True,
            stale_after_s=stale_after_s,
        )

    def _observation(
        self, engine: FleetEngine, now: float, stale_after_s: float
    ) -> EngineObservation:
        scraped = engine.age_s or 0.0
        own = _failure(engine)
        silence = max(0.0, now - (self._good_at or now))
        return EngineObservation(
            id=engine.id,
            kind=engine.kind,
            name=engine.instance,
            model_hint=engine.model,
            reading=engine.reading,
            rates=engine.rates,
            age_s=silence + scraped if engine.up else None,
            outcome=own or self._outcome,
            backing_off=engine.up and self._breaker.state(now) != "closed",
            source="prometheus",
            group=engine.group,
            latencies=engine.latencies,
            lag_s=(scraped if scraped <= SCRAPED_S else 0.0) + self._pause_s,
            read_before=True,
            stale_after_s=stale_after_s,
        )


def _failure(engine: FleetEngine) -> Failure | None:
    """Why one engine has no figures although the server answers."""
    if not engine.up:
        return DOWN
    if not engine.mixed:
        return None
    kinds = " and ".join((engine.kind, *engine.mixed))
    return Failure("bad-data", MIXED.format(kinds), neutral=True)
