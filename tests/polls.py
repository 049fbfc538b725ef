"""A poll run to its end over real sockets, as the one-shot views run it."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from tokentop.domain.readings import Failure
from tokentop.transport.http.client import Client
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.http.poll import Batches, Poll
from tokentop.transport.http.steps import Dial

ANYWHERE = Request("http://127.0.0.1:9", timeout_s=5.0)


def polled(steps: Batches, base: Request = ANYWHERE, limit_s: float = 5.0) -> Any:
    """The poll's result."""
    return run_polls([steps], base, limit_s)[0]


def run_polls(
    all_: list[Batches],
    base: Request = ANYWHERE,
    limit_s: float = 5.0,
    *,
    dial: Dial | None = None,
    client: Callable[..., Client] = Client,
) -> list[Any]:
    """The results of these polls, in their order."""
    polls = [Poll(steps, base, lambda _: None) for steps in all_]
    one = client(dial=dial)
    until = monotonic() + limit_s
    for poll in polls:
        one.submit(poll)
    one.run(until)
    one.end(until)
    return [poll.result for poll in polls]


def driven(steps: Batches, fetch: Callable[[Sequence[Request]], Sequence[Reply | Failure]]) -> Any:
    """The poll's result where `fetch` gives the answers of each batch."""
    try:
        requests = next(steps)
        while True:
            requests = steps.send(list(fetch(requests)))
    except StopIteration as ended:
        return ended.value
