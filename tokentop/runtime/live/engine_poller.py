"""The screen's engines: one endless poll each, and a search for new ones every 30 s."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from tokentop.collect.collector import Collector
from tokentop.collect.engine import PollResult
from tokentop.config.schema import Config
from tokentop.domain.readings import Failure
from tokentop.light_typing import Protocol
from tokentop.runtime.live.spawn import Spawn
from tokentop.runtime.oneshot.discovery_cache import discovered, plan
from tokentop.transport.discovery.findings import Findings
from tokentop.transport.discovery.persisted import keep_findings
from tokentop.transport.discovery.probe_cache import ProbeCache
from tokentop.transport.discovery.search_async import find_async
from tokentop.transport.http.messages import Request
from tokentop.transport.http.poll import NOT_ASKED, Batches, Poll
from tokentop.transport.run_protocol import steps

SEARCH_EVERY_S = 30.0
SECOND_S = 1.0  # after an engine's first poll: rates lie between two
DRIVER_STEPS = 8  # the first search waits for the driver's processes, which lead to engines
DRIVER_STEP_S = 0.05
LIMIT = 2  # a poll takes at most so many times what one request may

Search = Callable[[], Awaitable[Findings]]


class Pool(Protocol):
    async def poll(self, steps: Batches, base: Request, limit_s: float | None = None) -> Poll: ...


class Scheduler(Protocol):
    """The part of the poller that engines need."""

    async def repeat(self, poll: Callable[[], Awaitable[bool | None]]) -> None: ...
    def changed(self) -> None: ...


class EnginePoller:
    """Polls the engines of the configuration, and those that a search finds.

    `searched` are the addresses that the last search tried, and how many candidates there were.
    """

    def __init__(
        self,
        collector: Collector,
        config: Config,
        scheduler: Scheduler,
        clock: Callable[[], float],
        search: Search | None = None,
    ) -> None:
        self._collector = collector
        self._registry = collector.engines()
        self._config = config
        self._scheduler = scheduler
        self._clock = clock
        self._search = search or self._find
        self._searches = search is not None or (
            config.discovery.enabled and not config.demo.enabled
        )
        self._probe_cache = ProbeCache()
        self._polled: set[str] = set()
        self.searched = (0, 0)

    def start(self, pool: Pool, spawn: Spawn) -> None:
        """Start one worker per engine, and one that searches where discovery is enabled."""
        self._spawn_polls(pool, spawn)
        if self._searches:
            search = self._search_forever(pool, spawn)
            spawn(search, name="search for engines", group="search", exclusive=True)

    async def _search_forever(self, pool: Pool, spawn: Spawn) -> None:
        while True:
            self._update_registry(await self._search())
            self._spawn_polls(pool, spawn)
            await asyncio.sleep(SEARCH_EVERY_S)

    def _update_registry(self, findings: Findings) -> None:
        self.searched = (findings.tried, findings.candidates)
        known = self._registry.ids()
        found = discovered(findings)
        self._registry.update_from_discovery(*found, now=self._clock(), complete=findings.complete)
        if self._registry.ids() != known:
            self._scheduler.changed()

    def _spawn_polls(self, pool: Pool, spawn: Spawn) -> None:
        for identity in self._registry.ids():
            if identity not in self._polled:
                self._polled.add(identity)
                polls = self._poll_forever(pool, identity)
                spawn(polls, name=f"poll engine {identity}", group="engines")

    async def _poll_forever(self, pool: Pool, identity: str) -> None:
        if await self._poll(pool, identity):
            await asyncio.sleep(min(SECOND_S, self._config.interval_s))
            await self._scheduler.repeat(partial(self._poll, pool, identity))

    async def _poll(self, pool: Pool, identity: str) -> bool:
        """One poll; False where the engine is no longer in the registry."""
        if identity not in self._registry.ids():
            self._polled.discard(identity)
            return False
        due = self._registry.poll(identity, self._clock())
        if due is not None:
            limit_s = LIMIT * due.request.timeout_s
            ended = await pool.poll(steps(due.protocol, due.request), due.request, limit_s)
            result = self._explained(ended.result, limit_s)
            at = self._clock() - ended.age_s
            self._registry.record(identity, result, at, ended.latency_s)
            self._scheduler.changed()
        return True

    def _explained(self, result: PollResult, limit_s: float) -> PollResult:
        if not isinstance(result, Failure) or result.text != NOT_ASKED:
            return result
        count = len(self._registry.ids())
        return result._replace(text=f"{NOT_ASKED}: {count} engines within {limit_s:g} s")

    async def _find(self) -> Findings:
        pids = self._collector.gpu_pids()
        for _ in range(DRIVER_STEPS):
            if pids is not None or not self._config.gpus:
                break
            await asyncio.sleep(DRIVER_STEP_S)
            pids = self._collector.gpu_pids()
        now = time.time()
        findings = await find_async(plan(self._config, pids or ()), self._probe_cache, now)
        keep_findings(findings, self._probe_cache, now)
        return findings
