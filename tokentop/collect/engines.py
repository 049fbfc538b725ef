"""The engines' part of the collector: which are polled when, their results, which are gone.

Like the collector it holds no socket, thread or clock. Imported only where there is an engine.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from tokentop.collect.engine import EngineTarget, Found, PendingPoll, PollResult
from tokentop.config.schema import Config, EngineConfig
from tokentop.domain.engines.fleet_readings import FleetReading
from tokentop.domain.engines.observation import EngineObservation
from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.urls import is_loopback, split
from tokentop.light_typing import TYPE_CHECKING
from tokentop.sources.engines.protocol import Hints
from tokentop.sources.engines.registry import KINDS
from tokentop.transport.http.messages import Request

__all__ = ["EngineRegistry", "Found", "PendingPoll"]

if TYPE_CHECKING:
    from tokentop.collect.prometheus import PrometheusTarget

MISSES = 2  # discoveries in a row that no longer find a silent engine
GONE_KEPT_S = 600.0  # how long an engine that served is shown as gone
MOST_GONE = 64  # of them: neighbours may come and go for ever


class EngineRegistry:
    """All engines, the configured ones first; `now` is monotonic seconds throughout.

    A Prometheus server is polled as one more of them; `host` is this machine's name.
    """

    def __init__(self, config: Config, host: str = "") -> None:
        self._config = config
        self.fleet = _fleet(config, host)
        self._engines: dict[str, EngineTarget] = {}
        self._places: dict[str, str] = {}  # where -> id
        self._left: dict[str, Mapping[str, object]] = {}  # by an earlier call, of engines unknown
        for engine in config.engines:
            self._add(engine.url, _kind(engine.kind), engine)

    def ids(self) -> tuple[str, ...]:
        """Every engine known now."""
        return (*self._engines, *((self.fleet.id,) if self.fleet else ()))

    def read_ids(self) -> tuple[str, ...]:
        """Those that have ever served."""
        return tuple(identity for identity, one in self._engines.items() if one.read_before)

    def update_from_discovery(
        self,
        found: Sequence[Found],
        starting: Sequence[Found] = (),
        *,
        now: float,
        complete: bool = True,
    ) -> None:
        """Take one search's findings; a found engine that fails and is missing twice is dropped.

        One that served is kept as gone for GONE_KEPT_S before, MOST_GONE of them. `starting` are
        known by their processes alone: they do not listen yet. A search that was not completed
        misses nothing.
        """
        for one in (*found, *starting):
            known = self._places.get(place(one.url))
            if known is not None and self._replaced(known, one.kind):
                self._drop(known)
        seen = {self._found_at(one, now, starting=False) for one in found}
        seen |= {self._found_at(one, now, starting=True) for one in starting}
        for identity, engine in list(self._engines.items()) if complete else ():
            engine.misses = 0 if identity in seen else engine.misses + 1
            if engine.misses >= MISSES:
                engine.process_vanished()
                if self._is_over(engine, now):
                    self._drop(identity)
        # Those found first stay: no crowd that comes later pushes them out.
        for identity in [i for i, e in self._engines.items() if _is_gone(e)][MOST_GONE:]:
            self._drop(identity)

    def _is_over(self, engine: EngineTarget, now: float) -> bool:
        """Whether a missing engine need not be shown any longer."""
        if not _is_gone(engine):
            return False
        since = engine.unserved_since
        return not engine.read_before or since is None or now - since > GONE_KEPT_S

    def dismiss(self, identity: str) -> bool:
        """Forget a found engine that is gone, at the user's wish; whether there was one."""
        engine = self._engines.get(identity)
        if engine is None or not engine.discovered or not engine.silent:
            return False
        self._drop(identity)
        return True

    def _found_at(self, one: Found, now: float, *, starting: bool) -> str | None:
        identity = self._places.get(place(one.url)) or self._add(one.url, one.kind, None)
        if identity is not None:
            self._take_left(identity, now)
            self._engines[identity].update_from_discovery(one, starting=starting)
        return identity

    def is_at(self, url: str) -> bool:
        """Whether an engine is known at the address of this URL."""
        return _place_of_origin(url) in self._places

    def poll(self, identity: str, now: float) -> PendingPoll | None:
        """One engine's poll; None where it is backing off or gone."""
        if self.fleet is not None and identity == self.fleet.id:
            return self.fleet.poll(now)
        engine = self._engines.get(identity)
        return None if engine is None else engine.poll(now)

    def record(
        self, identity: str, result: PollResult, now: float, latency_s: float | None
    ) -> None:
        """Take one poll's result; one that comes after its engine was dropped is ignored."""
        engine = self._engines.get(identity)
        if self.fleet is not None and identity == self.fleet.id:
            self.fleet.record(result, now, latency_s)
        elif engine is not None and not isinstance(result, FleetReading):
            engine.record(result, now, latency_s)

    def observations(self, now: float, stale_after_s: float) -> tuple[EngineObservation, ...]:
        """What the fold is given."""
        own = tuple(engine.observation(now, stale_after_s) for engine in self._engines.values())
        if self.fleet is None:
            return own
        return (*own, *self.fleet.observations(now, tuple(self._places), stale_after_s))

    def lost(self) -> bool:
        """Whether nothing listens any more where an engine was found."""
        return any(
            engine.discovered and engine.refuses_connections for engine in self._engines.values()
        )

    def dump(self) -> dict[str, object]:
        """What the next call of a one-shot view needs, as plain JSON values."""
        return {identity: engine.dump() for identity, engine in self._engines.items()}

    def restore(self, saved: object, now: float) -> None:
        """Take what an earlier call left, before the first poll; what is malformed is ignored.

        An engine that served then and is not known now comes back, to be found down or gone;
        what was kept of others waits for them to be found.
        """
        rows = saved.items() if isinstance(saved, dict) else ()
        self._left = {identity: row for identity, row in rows if isinstance(row, dict)}
        for identity, row in list(self._left.items()):
            if identity in self._engines or self._lost_one(row, now):
                self._take_left(identity, now)

    def _take_left(self, identity: str, now: float) -> None:
        row, engine = self._left.pop(identity, None), self._engines.get(identity)
        if row is not None and engine is not None:
            engine.restore(row, now)

    def _lost_one(self, row: Mapping[str, object], now: float) -> bool:
        """Add an engine that an earlier call knew, unless it has been gone for long."""
        url, kind, since = row.get("url"), row.get("kind"), row.get("unserved_since")
        target = split(url) if isinstance(url, str) else None
        if target is None or row.get("read_before") is not True or not self._may_ask(target.host):
            return False
        if isinstance(since, int | float) and not 0.0 <= now - since <= GONE_KEPT_S:
            return False
        known = _kind(kind if isinstance(kind, str) else None)
        return self._add(target.origin, known, None) is not None

    def _may_ask(self, host: str) -> bool:
        discovery = self._config.discovery
        return discovery.enabled and (is_loopback(host) or host in discovery.hosts)

    def _replaced(self, identity: str, kind: EngineKind) -> bool:
        engine = self._engines[identity]
        return engine.discovered and engine.kind != kind

    def _add(self, url: str, kind: EngineKind | None, named: EngineConfig | None) -> str | None:
        where = place(url)
        if not where or where in self._places:
            return None
        identity = f"{kind or 'engine'}@{where.partition('://')[2]}"
        hints = Hints(configured_slots=named.max_slots if named else None)
        self._engines[identity] = EngineTarget(
            identity, self._request(url, named), kind, hints, named
        )
        self._places[where] = identity
        return identity

    def _drop(self, identity: str) -> None:
        del self._engines[identity]
        self._places = {where: one for where, one in self._places.items() if one != identity}

    def _request(self, url: str, named: EngineConfig | None) -> Request:
        """The engine's own base request; a token goes only where the user configured it for."""
        return Request(
            url=url,
            timeout_s=self._config.timeout_s,
            max_bytes=self._config.max_bytes,
            token=named.token if named else None,
            ca_bundle=self._config.tls.ca_bundle,
            verify=self._config.tls.verify,
        )


def _is_gone(engine: EngineTarget) -> bool:
    """Whether it was found once, and neither answers nor is found any more."""
    return engine.discovered and engine.silent and engine.misses >= MISSES


def _fleet(config: Config, host: str) -> "PrometheusTarget | None":
    if config.prometheus.url is None:
        return None
    from tokentop.collect.prometheus import PrometheusTarget

    return PrometheusTarget(config, host)


@lru_cache(256)
def _place_of_origin(url: str) -> str | None:
    """`place` of a configured URL without its path; None for no address."""
    target = split(url)
    return None if target is None else place(target.origin)


def place(url: str) -> str:
    """An engine's address as it compares; loopback has several names. Empty for no address."""
    target = split(url)
    if target is None:
        return ""
    if is_loopback(target.host):
        target = target._replace(host="127.0.0.1")
    return target.origin + target.path.partition("?")[0].rstrip("/")


def _kind(name: str | None) -> EngineKind | None:
    return next((kind for kind in KINDS if kind == name), None)
