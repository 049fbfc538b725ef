"""Results that another thread hands to the loop: together, and none for long."""

import asyncio
from time import monotonic

from tokentop.transport.http.handover import GATHER_S, Handover


async def test_what_is_not_complete_waits_for_others() -> None:
    """The loop is woken once for all of them; a result that nobody waits for harms none."""
    loop = asyncio.get_running_loop()
    wakes: list[object] = []
    handover = Handover()
    handover.to(loop)
    first, dropped, last = (loop.create_future() for _ in range(3))
    handover.add(first, "first")
    assert 0.0 < (handover.wait_s or 0.0) <= GATHER_S
    handover.flush(complete=False)
    dropped.cancel()
    handover.add(dropped, "dropped")
    handover.add(last, "last")
    call_soon = loop.call_soon_threadsafe
    loop.call_soon_threadsafe = lambda *call: (wakes.append(call), call_soon(*call))[1]  # type: ignore
    await asyncio.to_thread(handover.flush, complete=True)
    async with asyncio.timeout(5):
        assert await asyncio.gather(first, last) == ["first", "last"]
    # One of to_thread's own for its result.
    assert len([call for call in wakes if "_settle" in repr(call[0])]) == 1  # type: ignore[index]
    assert handover.wait_s is None


async def test_no_result_waits_longer_than_it_may() -> None:
    """Another one that takes its time does not hold it up."""
    handover = Handover()
    handover.to(asyncio.get_running_loop())
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    began = monotonic()
    handover.add(future, "x")
    while not future.done():
        handover.flush(complete=False)
        await asyncio.sleep(0)
    assert monotonic() - began >= GATHER_S
    assert await future == "x"


def test_a_closed_loop_is_no_fault() -> None:
    """The program ends while an answer is on its way."""
    loop = asyncio.new_event_loop()
    handover = Handover()
    handover.to(loop)
    future = loop.create_future()
    loop.close()
    handover.add(future, "late")
    handover.flush(complete=True)
    assert not future.done()
