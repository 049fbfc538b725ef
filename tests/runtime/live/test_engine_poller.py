"""The screen's engines: each polled at its own pace, from when it is found until it is gone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from tests.payloads import payload
from tests.polls import driven
from tests.runtime.live.conftest import Tasks
from tokentop.collect.collector import Collector
from tokentop.config.schema import Config, DiscoveryConfig, EngineConfig
from tokentop.domain.readings import Failure
from tokentop.runtime.live.engine_poller import EnginePoller
from tokentop.runtime.live.poller import Poller
from tokentop.transport.discovery.findings import Findings, Found
from tokentop.transport.http.failures import our_limit
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import NOT_ASKED, Batches, Poll

URL = "http://127.0.0.1:8000"
OTHER = "http://127.0.0.1:9000"
PAGES = {
    "/metrics": "vllm/load/metrics.txt",
    "/version": "vllm/load/version.json",
    "/v1/models": "vllm/load/v1_models.json",
}


class _Pool:
    """Answers as a captured vLLM; whatever begins with `hang` never answers."""

    def __init__(self, hang: str = "no URL") -> None:
        self.fetched: list[str] = []
        self.limits: list[float | None] = []
        self.hang = hang
        self.failure: Failure | None = None

    async def poll(self, steps: Batches, base: Request, limit_s: float | None = None) -> Poll:
        poll = Poll(steps, base, lambda _: None, limit_s)
        self.limits.append(limit_s)
        if self.failure is not None:
            poll.result = self.failure
        elif base.url.startswith(self.hang):
            self.fetched.append(base.url)
            await asyncio.sleep(limit_s or 0.0)
            poll.result = Failure("timeout", "no answer")
        else:
            poll.result = driven(steps, self._answers)
        return poll

    def _answers(self, requests: Sequence[Request]) -> list[Reply | Failure]:
        self.fetched += [request.url for request in requests]
        return [_page(request.url) for request in requests]


def _page(url: str) -> Reply | Failure:
    for path, name in PAGES.items():
        if url.endswith(path):
            return Reply(200, payload(name))
    return Failure("http", "no such path", True, 404)


class _Rounds(Poller):
    """The poller's rounds; a change is an event of the test."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.news = asyncio.Event()

    def changed(self) -> None:
        self.news.set()


class _World:
    """A collector under a running EnginePoller."""

    def __init__(
        self,
        pool: _Pool,
        spawn: Tasks,
        *engines: EngineConfig,
        search: Any = None,
        interval_s: float = 0.01,
    ) -> None:
        discovery = DiscoveryConfig(enabled=search is not None)
        config = Config(engines=engines, discovery=discovery, timeout_s=0.2, interval_s=interval_s)
        self.collector = Collector(config, "box", False)
        clock = asyncio.get_running_loop().time
        self.clock = clock
        self.rounds = _Rounds(self.collector, interval_s, lambda: None, clock)
        self.poller = EnginePoller(self.collector, config, self.rounds, clock, search)
        self.poller.start(pool, spawn)

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not ready():
                self.rounds.news.clear()
                await self.rounds.news.wait()

    def states(self) -> dict[str, str]:
        now = self.clock()
        return {e.url or "": e.state for e in self.collector.snapshot(now, 0.0).engines}


def _finding(*rounds: Findings) -> Callable[[], Awaitable[Findings]]:
    left = list(rounds)

    async def search() -> Findings:
        return left.pop(0) if len(left) > 1 else left[0]

    return search


async def test_an_engine_that_hangs_delays_no_other(spawn: Tasks) -> None:
    """Its row is offline; the other is polled again and again meanwhile."""
    pool = _Pool(hang=OTHER)
    world = _World(pool, spawn, EngineConfig("a", URL, "vllm"), EngineConfig("b", OTHER, "vllm"))
    await world.until(lambda: pool.fetched.count(URL + "/metrics") > 3)
    await world.until(
        lambda: world.collector.engines().observations(0.0, 12.0)[1].outcome is not None
    )
    assert world.states() == {URL: "online", OTHER: "offline"}


async def test_a_found_engine_is_polled_at_once_and_no_more_when_it_is_gone(
    spawn: Tasks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two searches nothing has to be restarted."""
    monkeypatch.setattr("tokentop.runtime.live.engine_poller.SEARCH_EVERY_S", 0.05)
    monkeypatch.setattr("tokentop.collect.engines.GONE_KEPT_S", 0.0)
    found = Findings((Found("vllm", URL),))
    pool = _Pool()
    world = _World(pool, spawn, search=_finding(Findings(), found, found, Findings()))
    await world.until(lambda: world.states() == {URL: "online"})
    assert spawn.names() == ["search for engines", "poll engine vllm@127.0.0.1:8000"]
    pool.hang = URL
    await world.until(lambda: world.states() == {})
    async with asyncio.timeout(10):
        await spawn.started[1]  # the engine's polling ends by itself


async def test_rates_are_there_soon_after_the_start(
    spawn: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie between two polls: the second one does not wait for the next round."""
    monkeypatch.setattr("tokentop.runtime.live.engine_poller.SECOND_S", 0.05)
    pool = _Pool()
    world = _World(pool, spawn, EngineConfig("a", URL, "vllm"), interval_s=3600.0)
    await world.until(lambda: pool.fetched.count(URL + "/metrics") >= 2)
    throughput = world.collector.snapshot(world.clock(), 0.0).throughput
    assert throughput.generation_tokens_per_s is not None


async def test_a_search_without_room_for_all_says_so(spawn: Tasks) -> None:
    """On a host with hundreds of processes that are called like engines."""
    crowded = Findings((Found("vllm", URL),), tried=64, candidates=203)
    world = _World(_Pool(), spawn, search=_finding(crowded))
    assert world.poller.searched == (0, 0)
    await world.until(lambda: world.states() == {URL: "online"})
    assert world.poller.searched == (64, 203)


async def test_a_poll_takes_at_most_twice_a_requests_time(spawn: Tasks) -> None:
    """However many requests its protocol makes."""
    pool = _Pool()
    world = _World(pool, spawn, EngineConfig("a", URL, "vllm"))
    await world.until(lambda: world.states() == {URL: "online"})
    assert set(pool.limits) == {0.4}


async def test_what_was_not_polled_in_time_keeps_its_state_and_says_so(spawn: Tasks) -> None:
    """A limit of ours is no fault of the engine: nothing is down."""
    pool = _Pool()
    world = _World(pool, spawn, EngineConfig("a", URL, "vllm"))
    await world.until(lambda: world.states() == {URL: "online"})
    pool.failure = our_limit(NOT_ASKED)
    pool.fetched.clear()
    await world.until(lambda: len(pool.limits) > 9)
    assert world.states() == {URL: "online"}
