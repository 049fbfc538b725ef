"""Rounds: everything is polled at the same moments, however long each of them takes."""

import asyncio
from contextlib import suppress

import pytest

from tokentop.runtime.live.rounds import Rounds

PATIENCE_S = 10.0


@pytest.mark.parametrize(
    ("answered_at", "next_at"), [(100.0, 104.0), (102.5, 104.0), (103.9999, 108.0), (104.02, 108.0)]
)
def test_slow_and_fast_sources_share_their_rounds(answered_at: float, next_at: float) -> None:
    """However late it answered, a source is polled with the others next time, and once."""
    now = 100.0
    rounds = Rounds(4.0, lambda: now)
    rounds.begin()
    now = answered_at
    assert rounds.next_at() == next_at


def test_after_a_refresh_the_interval_counts_from_then() -> None:
    now = 100.0
    rounds = Rounds(4.0, lambda: now)
    rounds.begin()
    now = 101.5
    rounds.begin()
    assert rounds.next_at() == 105.5


class _Work:
    """Counts its calls; `go` lets one of them end."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = asyncio.Semaphore(0)
        self.called = asyncio.Event()

    async def __call__(self) -> None:
        self.calls += 1
        self.called.set()
        await self.go.acquire()

    async def until(self, calls: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.calls < calls:
                self.called.clear()
                await self.called.wait()


async def _idle() -> None:
    """Let every task go on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_that_was_busy_at_a_refresh_is_polled_once_more() -> None:
    """What it answers was asked for before the refresh."""
    rounds, work = Rounds(3600.0, asyncio.get_running_loop().time), _Work()
    task = asyncio.create_task(rounds.each(work))
    await work.until(1)
    rounds.begin()
    work.go.release()
    await work.until(2)
    work.go.release()
    await _idle()
    assert (work.calls, task.done()) == (2, False)
    task.cancel()


async def test_one_that_ends_stops_no_other() -> None:
    """An engine that is gone, or a poll that is cancelled, while others wait for the next round."""
    rounds = Rounds(3600.0, asyncio.get_running_loop().time)
    left, cancelled, ends = _Work(), _Work(), asyncio.Event()

    async def gone() -> bool:
        return not ends.is_set()

    tasks = [asyncio.create_task(rounds.each(each)) for each in (left, cancelled, gone)]
    for each in (left, cancelled):
        each.go.release()
    await _idle()
    ends.set()
    tasks[1].cancel()
    rounds.begin()
    await left.until(2)
    await _idle()
    assert [task.done() for task in tasks] == [False, True, True]
    assert (left.calls, cancelled.calls) == (2, 1)
    tasks[0].cancel()
    with suppress(asyncio.CancelledError):
        await tasks[0]


async def test_rounds_follow_each_other() -> None:
    """At the interval that holds now, for all alike."""
    rounds = Rounds(3600.0, asyncio.get_running_loop().time)
    works = _Work(), _Work()
    tasks = [asyncio.create_task(rounds.each(each)) for each in works]
    for each in works:
        each.go.release()
    await _idle()
    rounds.interval_s = 0.01
    rounds.begin()
    for each in works:
        for _ in range(3):
            each.go.release()
    for each in works:
        await each.until(5)
    assert [each.calls for each in works] == [5, 5]
    for task in tasks:
        task.cancel()
