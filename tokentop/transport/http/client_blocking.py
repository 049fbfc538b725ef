"""GETs that are waited for, over one selector: the transport of the one-shot views.

Own code because importing http.client alone costs 27 ms of the one-line view's 95.
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from time import monotonic

from tokentop.domain.readings import Failure
from tokentop.transport.http.client import Client
from tokentop.transport.http.descriptors import SOCKETS, SocketBudget
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Poll
from tokentop.transport.http.resolver import Found, look_up
from tokentop.transport.http.steps import Dial

__all__ = ["Dial", "Reply", "Request", "fetch", "fetch_all", "one"]


def fetch(request: Request, *, dial: Dial | None = None) -> Reply | Failure:
    """One GET with its redirects, within `request.timeout_s`; never raises."""
    return fetch_all([request], request.timeout_s, dial=dial)[0]


def fetch_all(
    requests: Sequence[Request],
    deadline_s: float,
    *,
    dial: Dial | None = None,
    look_up: Callable[[str], Found] = look_up,
    sockets: SocketBudget = SOCKETS,
) -> list[Reply | Failure]:
    """Every answer in order, after at most `deadline_s`; what came too late is a timeout."""
    answers: list[Reply | Failure | None] = [None] * len(requests)

    def done(place: int, poll: Poll) -> None:
        answers[place] = poll.result

    client = Client(dial=dial, look_up=look_up, sockets=sockets)
    until = monotonic() + deadline_s
    for place, request in enumerate(requests):
        client.submit(Poll(one(request), request, partial(done, place)))
    client.run(until)
    client.end(until)
    return [answer for answer in answers if answer is not None]


def one(request: Request) -> Generator[Sequence[Request], list[Reply | Failure], Reply | Failure]:
    """A poll of one GET, whose result is its answer."""
    (answer,) = yield (request,)
    return answer
