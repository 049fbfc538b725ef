"""Runs an engine's protocol (sources/engines/protocol.py) as a poll of the client."""

from collections.abc import Generator, Mapping, Sequence

from tokentop.domain.readings import Failure
from tokentop.domain.urls import is_loopback, split
from tokentop.light_typing import TypeVar
from tokentop.sources.engines.protocol import Answer, Answers, Paths
from tokentop.transport.http.messages import Reply, Request

R = TypeVar("R")

Replies = Mapping[str, Reply | Failure]

MAX_BATCHES = 40
NOT_REQUESTED = Failure("unreachable", "this path was not requested")


def steps(
    protocol: Generator[Paths, Answers, R], base: Request
) -> Generator[Sequence[Request], list[Reply | Failure], R | Failure]:
    """The protocol as a poll: the requests of each batch, then the protocol's result.

    `base` is the engine's own URL with its token and limits.
    """
    try:
        paths = next(protocol)
        for _ in range(MAX_BATCHES):
            replies = yield from _batch(base, paths)
            paths = protocol.send({path: _answer(reply) for path, reply in replies.items()})
            del replies  # before the next ones arrive
    except StopIteration as ended:
        result: R = ended.value
        return result
    protocol.close()
    return Failure("bad-data", "the server leads from one request to the next without end")


def requests(base: Request, paths: Paths) -> list[Request | Failure]:
    """The GETs of one batch, in order.

    An absolute URL is a runner's: on loopback only, and without the engine's token.
    """
    return [_request(base, path) for path in paths]


def _batch(
    base: Request, paths: Paths
) -> Generator[Sequence[Request], list[Reply | Failure], dict[str, Reply | Failure]]:
    planned = requests(base, paths)
    replies = iter((yield [plan for plan in planned if isinstance(plan, Request)]))
    return {
        path: plan if isinstance(plan, Failure) else next(replies)
        for path, plan in zip(paths, planned, strict=True)
    }


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


def _answer(reply: Reply | Failure) -> Answer | Failure:
    if isinstance(reply, Failure):
        return reply
    return Answer(reply.body, reply.content_type, reply.server)
