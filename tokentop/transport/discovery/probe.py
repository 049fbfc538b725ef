"""One candidate identified: few GETs, no redirects, no credentials, a quarter of a second each."""

from collections.abc import Generator, Sequence
from time import monotonic

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import UNREACHABLE
from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.answers import version_of
from tokentop.sources.engines.identify import identify
from tokentop.sources.engines.protocol import Answers, Paths
from tokentop.transport.discovery.candidates import Candidate
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import steps

PROBE_S = 0.25
MAX_BYTES = 1024 * 1024
UNCERTAIN = ("timeout", "our-limit")

Outcome = Literal[
    "engine",
    "other",  # answered, and is no engine
    "no-answer",  # accepts connections, and leaves a request unanswered
    "late",  # the search's own deadline came first
    "busy",  # answers 5xx: may be an engine that loads
    "refused",
]


class ProbeResult(NamedTuple):
    """What one candidate turned out to be; `host` is the address that answered.

    Not `sure` where a request went unanswered: the next time it may look like another kind.
    """

    outcome: Outcome
    host: str
    kind: EngineKind | None = None
    version: str | None = None
    sure: bool = True


Probing = Generator[Sequence[Request], list[Reply | Failure], ProbeResult]
Batch = Generator[Sequence[Request], list[Reply | Failure], list[Reply | Failure]]


def probe(candidate: Candidate, deadline: float) -> Probing:
    """Identify the candidate at the first of its addresses that accepts; monotonic `deadline`."""
    result = yield from _at(candidate, candidate.host, deadline)
    if result.outcome == "refused" and candidate.other_host is not None:
        result = yield from _at(candidate, candidate.other_host, deadline)
    return result


def base_request(host: str, port: int) -> Request:
    """What every request of an identification begins as."""
    return Request(origin(host, port), timeout_s=PROBE_S, max_bytes=MAX_BYTES, max_hops=0)


def origin(host: str, port: int) -> str:
    """The address of a candidate as a URL."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _at(candidate: Candidate, host: str, deadline: float) -> Probing:
    guess = candidate.command.kind if candidate.command else None
    asker = _Asker(deadline, sequentially=guess is None)
    inner = steps(_noting(identify(guess), asker), base_request(host, candidate.port))
    kind: EngineKind | Failure | None = None
    try:
        requests = next(inner)
        while True:
            requests = inner.send((yield from asker.ask(requests)))
    except StopIteration as ended:
        kind = ended.value
    if not isinstance(kind, Failure) and kind is not None:
        return ProbeResult("engine", host, kind, asker.version, asker.sure)
    return ProbeResult(asker.outcome(), host)


class _Asker:
    """Makes the requests of one identification, and remembers how they were answered.

    `sequentially`: one request first, and no further one where that got no HTTP answer; a service
    of another protocol then logs one oddity instead of four.
    """

    def __init__(self, deadline: float, *, sequentially: bool) -> None:
        self._deadline = deadline
        self._sequentially = sequentially
        self._failure: Failure | None = None  # no HTTP answer at all
        self._statuses: set[int] = set()
        self._late = False
        self.sure = True
        self.version: str | None = None

    def ask(self, requests: Sequence[Request]) -> Batch:
        head = requests[:1] if self._sequentially else requests
        self._sequentially = False
        replies = yield from self._through(head)
        rest = yield from self._through(requests[len(head) :])
        return [*replies, *rest]

    def outcome(self) -> Outcome:
        """What it is where it is no engine."""
        if not self.sure:
            return "late" if self._late else "no-answer"
        if self._statuses:
            return "busy" if min(self._statuses) >= 500 else "other"
        kind = self._failure.kind if self._failure else "refused"
        return "refused" if kind in UNREACHABLE else "other"

    def _through(self, requests: Sequence[Request]) -> Batch:
        if self._failure is not None or not requests:
            return [self._failure for _ in requests if self._failure is not None]
        left = min(PROBE_S, self._deadline - monotonic())
        self._late = left < PROBE_S
        if left <= 0:
            self.sure = False
            return [Failure("timeout", "there was no time left for a request") for _ in requests]
        replies = yield [request._replace(timeout_s=left) for request in requests]
        self._note(replies)
        return replies

    def _note(self, replies: list[Reply | Failure]) -> None:
        if any(isinstance(r, Failure) and r.kind in UNCERTAIN for r in replies):
            self.sure = False
        self._statuses |= {status for r in replies if (status := _status(r)) is not None}
        if all(_status(reply) is None for reply in replies):
            self._failure = next((r for r in replies if isinstance(r, Failure)), None)


def _status(reply: Reply | Failure) -> int | None:
    """The status of an HTTP answer; a refused redirect or an endless body is one as well."""
    if isinstance(reply, Failure) and reply.kind in ("redirect", "too-large"):
        return 300
    return reply.status


def _noting(
    protocol: Generator[Paths, Answers, EngineKind | None], asker: _Asker
) -> Generator[Paths, Answers, EngineKind | None]:
    """The same protocol, with the version taken from its answers."""
    try:
        paths = next(protocol)
        while True:
            answers = yield paths
            asker.version = asker.version or _version(answers)
            paths = protocol.send(answers)
    except StopIteration as ended:
        kind: EngineKind | None = ended.value
        return kind


def _version(answers: Answers) -> str | None:
    return next((version for each in answers.values() if (version := version_of(each))), None)
