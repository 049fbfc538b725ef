"""The screen's engines: one endless poll each, and a quiet search for new ones every 30 s."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from tokentop.collect.collector import Collector
from tokentop.collect.engine import PendingPoll, PollResult
from tokentop.config.schema import Config
from tokentop.domain.readings import Failure
from tokentop.runtime.oneshot.discovery_cache import discovered, plan
from tokentop.transport.discovery.findings import Findings
from tokentop.transport.discovery.persisted import keep_findings
from tokentop.transport.discovery.probe_cache import ProbeCache
from tokentop.transport.discovery.search_async import find_async
from tokentop.transport.http.failures import timed_out
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import async_batch_fetcher, run_protocol_async

SEARCH_EVERY_S = 30.0
DRIVER_STEPS = 8  # the driver's first answer is waited for a little: its processes lead to engines
DRIVER_STEP_S = 0.05

Search = Callable[[], Awaitable[Findings]]


class Pool(Protocol):
    async def fetch(self, request: Request) -> Reply | Failure: ...


class Pace(Protocol):
    """The poller: `repeat` asks at every interval until told False."""

    async def repeat(self, ask: Callable[[], Awaitable[bool | None]]) -> None: ...
    def changed(self) -> None: ...


class EnginePoller:
    """Runs until cancelled; whatever crashes in it crashes `run`, which the caller watches."""

    def __init__(
        self,
        collector: Collector,
        config: Config,
        pace: Pace,
        clock: Callable[[], float],
        search: Search | None = None,
    ) -> None:
        self._collector = collector
        self._registry = collector.engines()
        self._config = config
        self._pace = pace
        self._clock = clock
        self._search = search or self._find
        self._memory = ProbeCache()
        self._asked: set[str] = set()

    async def run(self, pool: Pool) -> None:
        """Ask everybody known, and look for more where that is wanted."""
        async with asyncio.TaskGroup() as group:
            self._spawn(group, pool)
            while self._config.discovery.enabled:
                self._adopt(await self._search())
                self._spawn(group, pool)
                await asyncio.sleep(SEARCH_EVERY_S)

    def _adopt(self, findings: Findings) -> None:
        known = self._registry.ids()
        found = discovered(findings)
        self._registry.update_from_discovery(*found, now=self._clock(), complete=findings.complete)
        if self._registry.ids() != known:
            self._pace.changed()

    def _spawn(self, group: asyncio.TaskGroup, pool: Pool) -> None:
        for identity in self._registry.ids():
            if identity not in self._asked:
                self._asked.add(identity)
                group.create_task(self._pace.repeat(partial(self._ask, pool, identity)))

    async def _ask(self, pool: Pool, identity: str) -> bool:
        """One poll; False where the engine is no longer known."""
        if identity not in self._registry.ids():
            self._asked.discard(identity)
            return False
        due = self._registry.poll(identity, self._clock())
        if due is not None:
            began = self._clock()
            result = await poll(due, pool)
            now = self._clock()
            self._registry.record(identity, result, now, now - began)
            self._pace.changed()
        return True

    async def _find(self) -> Findings:
        pids = self._collector.gpu_pids()
        for _ in range(DRIVER_STEPS):
            if pids is not None or not self._config.gpus:
                break
            await asyncio.sleep(DRIVER_STEP_S)
            pids = self._collector.gpu_pids()
        now = time.time()
        findings = await find_async(plan(self._config, pids or ()), self._memory, now)
        keep_findings(findings, self._memory, now)
        return findings


async def poll(due: PendingPoll, pool: Pool) -> PollResult:
    """Hold one conversation over the pool, in at most twice the time of one request."""

    async def ask(requests: Sequence[Request]) -> Sequence[Reply | Failure]:
        return await asyncio.gather(*(pool.fetch(request) for request in requests))

    limit_s = 2 * due.request.timeout_s
    try:
        async with asyncio.timeout(limit_s):
            return await run_protocol_async(due.protocol, async_batch_fetcher(due.request, ask))
    except TimeoutError:
        return timed_out(due.request.url, limit_s)
    except Exception as error:  # noqa: BLE001  # a strange answer costs one row, not the screen
        return Failure("bad-data", f"its answer could not be read ({type(error).__name__})")
