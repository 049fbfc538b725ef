"""What the transports would make of the demo's answers, without their sockets.

For polls of the past, which a frozen moment stands on.
"""

from collections.abc import Generator, Sequence

from tokentop.demo.world import World
from tokentop.domain.readings import Failure
from tokentop.light_typing import TypeVar
from tokentop.transport.http.failures import failure_for_exception, failure_for_status
from tokentop.transport.http.messages import Reply, Request, target_of

LATENCY_S = 0.003

T = TypeVar("T")


def answered(request: Request, world: World, t: float) -> Reply | Failure:
    """The reply, or the failure, to one GET at a moment."""
    given = world.answer(target_of(request), t)
    if given is None:
        return failure_for_exception(ConnectionRefusedError(), request.url, request.timeout_s)
    failure = failure_for_status(given.status, request.url)
    return failure or Reply(given.status, given.body, given.content_type, latency_s=LATENCY_S)


def polled(
    steps: Generator[Sequence[Request], list[Reply | Failure], T], world: World, t: float
) -> T:
    """The result of a poll, every request of which is answered as of that moment."""
    try:
        requests = next(steps)
        while True:
            requests = steps.send([answered(request, world, t) for request in requests])
    except StopIteration as ended:
        result: T = ended.value
        return result
