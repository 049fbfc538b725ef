"""Polling: each source at its own pace, pictures at most four times a second."""

import asyncio
import threading

import pytest

from tests.polls import driven
from tests.runtime.live.conftest import Tasks
from tokentop.collect.collector import HttpSource, ServiceResult
from tokentop.domain.readings import AccelReading, Failure, GpusReading
from tokentop.runtime.live.poller import Poller, stepped
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Batches, Poll
from tokentop.transport.nvml.answer import Answer


def _source(key: str) -> HttpSource:
    return HttpSource(key, key, Request(f"http://{key}/"), lambda _: AccelReading())


class _Collector:
    """Keeps what was recorded; a key in `backing_off` is never due."""

    def __init__(self, *keys: str, backing_off: tuple[str, ...] = ()) -> None:
        self.sources = tuple(map(_source, keys))
        self.backing_off = backing_off
        self.recorded: list[str] = []

    def due(self, key: str, now: float) -> bool:
        return key not in self.backing_off

    def record(self, key: str, result: ServiceResult | Failure, now: float) -> None:
        self.recorded.append(key)

    def record_gpus(
        self, result: GpusReading | Failure, now: float, latency_s: float | None
    ) -> None:
        self.recorded.append(f"gpus {getattr(result, 'kind', 'ok')}")


class _Pool:
    """Answers at once, except for the hosts in `hanging`."""

    def __init__(self, *hanging: str) -> None:
        self.hanging = hanging
        self.fetched: list[str] = []

    async def poll(self, steps: Batches, base: Request, limit_s: float | None = None) -> Poll:
        self.fetched.append(base.url)
        if any(host in base.url for host in self.hanging):
            await asyncio.Event().wait()
        poll = Poll(steps, base, lambda _: None, limit_s)
        poll.result = driven(steps, lambda _: [Reply(200, b"{}")])
        return poll


class _Driver:
    """Answers its one poll from another thread: a reading in parts, then why there is no more."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def start(self) -> None: ...
    def poll(self, wanted: object = None) -> None:
        threading.Thread(target=self._answer).start()

    def _answer(self) -> None:
        self._poller.gpus_answered(Answer(GpusReading(), complete=False))
        self._poller.gpus_answered(Answer(Failure("timeout", "the driver does not answer")))


def _poller(collector: _Collector, interval_s: float, changed: asyncio.Event) -> Poller:
    return Poller(collector, interval_s, changed.set, asyncio.get_running_loop().time)


async def test_a_hanging_source_delays_no_other(spawn: Tasks) -> None:
    """Others are recorded round after round while one never answers."""
    collector, pool, changed = _Collector("a", "slow", "b"), _Pool("slow"), asyncio.Event()
    poller = _poller(collector, 0.01, changed)
    poller.start(pool, None, spawn)
    async with asyncio.timeout(5):
        while min(collector.recorded.count("a"), collector.recorded.count("b")) < 5:
            changed.clear()
            await changed.wait()
    assert pool.fetched.count("http://slow/") == 1
    assert "slow" not in collector.recorded


async def test_a_source_that_is_backing_off_is_not_polled(spawn: Tasks) -> None:
    """The breaker decides before every request."""
    collector, pool, changed = _Collector("a", "b", backing_off=("b",)), _Pool(), asyncio.Event()
    poller = _poller(collector, 60, changed)
    poller.start(pool, None, spawn)
    async with asyncio.timeout(5):
        await changed.wait()
    assert pool.fetched == ["http://a/"]


async def test_refresh_polls_now(spawn: Tasks) -> None:
    """r does not wait for the interval to pass."""
    collector, pool, changed = _Collector("a"), _Pool(), asyncio.Event()
    poller = _poller(collector, 60, changed)
    poller.start(pool, None, spawn)
    async with asyncio.timeout(5):
        await changed.wait()
        changed.clear()
        poller.refresh()
        await changed.wait()
    assert len(pool.fetched) == 2


async def test_answers_of_one_round_make_one_picture(spawn: Tasks) -> None:
    """Fifteen answers that arrive together are shown once."""
    collector, pool, changed = _Collector(*map(str, range(15))), _Pool(), asyncio.Event()
    pictures: list[int] = []
    loop = asyncio.get_running_loop()

    def show() -> None:
        pictures.append(len(collector.recorded))
        changed.set()

    poller = Poller(collector, 60, show, loop.time)
    poller.start(pool, None, spawn)
    async with asyncio.timeout(5):
        await changed.wait()
    assert pictures == [15]


async def test_every_answer_of_the_driver_is_recorded(spawn: Tasks) -> None:
    """As far as it has got, and why it got no farther, in the order of the driver's thread."""
    collector, changed = _Collector(), asyncio.Event()
    poller = _poller(collector, 60, changed)
    poller.start(_Pool(), _Driver(poller), spawn)
    async with asyncio.timeout(5):
        await changed.wait()
    assert collector.recorded == ["gpus ok", "gpus timeout"]


class _Asked:
    """A driver that only counts: each poll of it is one on the queue."""

    def __init__(self) -> None:
        self.polls: asyncio.Queue[object] = asyncio.Queue()

    def start(self) -> None: ...
    def poll(self, wanted: object = None) -> None:
        self.polls.put_nowait(wanted)


@pytest.mark.parametrize("hanging", [(), ("a",)])
async def test_the_driver_is_asked_once_a_round(spawn: Tasks, hanging: tuple[str, ...]) -> None:
    """With the first answer of a round, and where none comes without it."""
    collector, driver = _Collector("a", "b", backing_off=("b",)), _Asked()
    poller = _poller(collector, 60, asyncio.Event())
    poller.start(_Pool(*hanging), driver, spawn)
    async with asyncio.timeout(5):
        await driver.polls.get()
        for number in (2, 3):
            poller.refresh()
            await driver.polls.get()
            assert collector.recorded == ([] if hanging else ["a"] * number)
            assert driver.polls.empty()


@pytest.mark.parametrize(("start", "step", "after"), [(4, 1, 5), (4, -1, 2), (3, 1, 4), (3, -1, 2)])
def test_the_interval_moves_in_steps(start: float, step: int, after: float) -> None:
    """+ and - go to the next round figure."""
    assert stepped(start, step) == after


def test_the_interval_stays_within_its_bounds() -> None:
    """Never below half a second, never above a minute."""
    assert stepped(0.5, -1) == 0.5
    assert stepped(60, 1) == 60
