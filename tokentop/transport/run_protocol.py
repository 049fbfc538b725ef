"""Runs an engine's protocol (sources/engines/protocol.py) over a transport, blocking or async."""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import TypeVar

from tokentop.domain.readings import Failure
from tokentop.domain.urls import is_loopback, split
from tokentop.sources.engines.protocol import Answer, Answers, Paths
from tokentop.transport.http.messages import Reply, Request

R = TypeVar("R")

Replies = Mapping[str, Reply | Failure]
Ask = Callable[[Paths], Replies]
AsyncAsk = Callable[[Paths], Awaitable[Replies]]

MAX_BATCHES = 40
NOT_REQUESTED = Failure("unreachable", "this path was not requested")


def run_protocol(protocol: Generator[Paths, Answers, R], ask: Ask) -> R | Failure:
    """The protocol's result; `ask` GETs all paths of a batch at once."""
    try:
        paths = next(protocol)
        for _ in range(MAX_BATCHES):
            paths = protocol.send(_answers(paths, ask(paths)))
    except StopIteration as ended:
        result: R = ended.value
        return result
    return _endless(protocol)


async def run_protocol_async(protocol: Generator[Paths, Answers, R], ask: AsyncAsk) -> R | Failure:
    """As `run_protocol`, with an `ask` to be awaited."""
    try:
        paths = next(protocol)
        for _ in range(MAX_BATCHES):
            paths = protocol.send(_answers(paths, await ask(paths)))
    except StopIteration as ended:
        result: R = ended.value
        return result
    return _endless(protocol)


def requests(base: Request, paths: Paths) -> list[Request | Failure]:
    """The GETs of one batch, in order; `base` is the engine's own URL with its token and limits.

    An absolute URL is a runner's: on loopback only, and without the engine's token.
    """
    return [_request(base, path) for path in paths]


def batch_fetcher(
    base: Request, fetch_all: Callable[[Sequence[Request]], Sequence[Reply | Failure]]
) -> Ask:
    """An `ask` for `run_protocol`, from a function that GETs several requests at once."""

    def ask(paths: Paths) -> Replies:
        planned = requests(base, paths)
        replies = iter(fetch_all([r for r in planned if isinstance(r, Request)]))
        return {
            path: plan if isinstance(plan, Failure) else next(replies)
            for path, plan in zip(paths, planned, strict=True)
        }

    return ask


def async_batch_fetcher(
    base: Request, fetch_all: Callable[[Sequence[Request]], Awaitable[Sequence[Reply | Failure]]]
) -> AsyncAsk:
    """As `batch_fetcher`, for `run_protocol_async`."""

    async def ask(paths: Paths) -> Replies:
        planned = requests(base, paths)
        replies = iter(await fetch_all([r for r in planned if isinstance(r, Request)]))
        return {
            path: plan if isinstance(plan, Failure) else next(replies)
            for path, plan in zip(paths, planned, strict=True)
        }

    return ask


def _request(base: Request, path: str) -> Request | Failure:
    if path.startswith("/"):
        # A query or fragment of the base URL belongs to none of the engine's paths.
        root = base.url.partition("#")[0].partition("?")[0].rstrip("/")
        return base._replace(url=root + path)
    url = _beside(base.url, path) if path.startswith(":+") else path
    target = split(url)
    if target is None or not (url != path or is_loopback(target.host)):
        return NOT_REQUESTED
    return base._replace(url=url, token=None, ca_bundle=None, verify=True)


def _beside(base: str, path: str) -> str:
    """`:+N/path` as a URL: the same host, N ports above, over plain HTTP; empty for no URL."""
    offset, _, rest = path.removeprefix(":+").partition("/")
    target = split(base)
    if target is None or not offset.isdigit():
        return ""
    return f"{target._replace(scheme='http', port=target.port + int(offset)).origin}/{rest}"


def _answers(paths: Paths, replies: Replies) -> Answers:
    return {path: _answer(replies.get(path, NOT_REQUESTED)) for path in paths}


def _answer(reply: Reply | Failure) -> Answer | Failure:
    if isinstance(reply, Failure):
        return reply
    return Answer(reply.body, reply.content_type, reply.server)


def _endless(protocol: Generator[Paths, Answers, R]) -> Failure:
    protocol.close()
    return Failure("bad-data", "the server leads from one request to the next without end")
