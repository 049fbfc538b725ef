"""One candidate identified: few GETs, no redirects, no credentials, a quarter of a second each."""

from collections.abc import Callable, Generator, Sequence
from time import monotonic
from typing import Literal, NamedTuple

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.domain.reasons import UNREACHABLE
from tokentop.sources.engines.answers import version_of
from tokentop.sources.engines.identify import identify
from tokentop.sources.engines.protocol import Answers, Paths
from tokentop.transport.discovery.candidates import Candidate
from tokentop.transport.http import client_blocking as client_blocking
from tokentop.transport.http.messages import Reply, Request
from tokentop.transport.run_protocol import Ask, Replies, batch_fetcher, run_protocol

PROBE_S = 0.25
MAX_BYTES = 1024 * 1024

Fetch = Callable[[Sequence[Request], float], Sequence[Reply | Failure]]
"""GETs them all within so many seconds: client_blocking.fetch_all, or a test's."""

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


def probe(
    candidate: Candidate, deadline: float, fetch: Fetch = client_blocking.fetch_all
) -> ProbeResult:
    """Identify the candidate at the first of its addresses that accepts; monotonic `deadline`."""
    result = _at(candidate, candidate.host, deadline, fetch)
    if result.outcome == "refused" and candidate.other_host is not None:
        result = _at(candidate, candidate.other_host, deadline, fetch)
    return result


def origin(host: str, port: int) -> str:
    """The address of a candidate as a URL."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _at(candidate: Candidate, host: str, deadline: float, fetch: Fetch) -> ProbeResult:
    guess = candidate.command.kind if candidate.command else None
    asker = _Asker(origin(host, candidate.port), deadline, fetch, sequentially=guess is None)
    kind = run_protocol(_noting(identify(guess), asker), asker.ask)
    if not isinstance(kind, Failure) and kind is not None:
        return ProbeResult("engine", host, kind, asker.version, asker.sure)
    return ProbeResult(asker.outcome(), host)


class _Asker:
    """Makes the requests of one identification, and remembers how they were answered.

    `sequentially`: one request first, and no further one where that got no HTTP answer; a service
    of another protocol then logs one oddity instead of four.
    """

    def __init__(self, url: str, deadline: float, fetch: Fetch, *, sequentially: bool) -> None:
        self._url = url
        self._deadline = deadline
        self._fetch = fetch
        self._sequentially = sequentially
        self._failure: Failure | None = None  # no HTTP answer at all
        self._statuses: set[int] = set()
        self._late = False
        self.sure = True
        self.version: str | None = None

    def ask(self, paths: Paths) -> Replies:
        head = paths[:1] if self._sequentially else paths
        replies = self._through(head)
        rest = paths[len(head) :]
        if rest:
            silent = self._failure
            replies |= self._through(rest) if silent is None else dict.fromkeys(rest, silent)
        self._sequentially = False
        return replies

    def outcome(self) -> Outcome:
        """What it is where it is no engine."""
        if not self.sure:
            return "late" if self._late else "no-answer"
        if self._statuses:
            return "busy" if min(self._statuses) >= 500 else "other"
        kind = self._failure.kind if self._failure else "refused"
        return "refused" if kind in UNREACHABLE else "other"

    def _through(self, paths: Paths) -> dict[str, Reply | Failure]:
        if self._failure is not None:
            return dict.fromkeys(paths, self._failure)
        left = min(PROBE_S, self._deadline - monotonic())
        self._late = left < PROBE_S
        if left <= 0:
            self.sure = False
            return dict.fromkeys(paths, Failure("timeout", "there was no time left for a request"))
        base = Request(self._url, timeout_s=left, max_bytes=MAX_BYTES, max_hops=0)
        replies = dict(self._fetcher(base, left)(paths))
        self._note(list(replies.values()))
        return replies

    def _fetcher(self, base: Request, left: float) -> Ask:
        return batch_fetcher(base, lambda requests: self._fetch(requests, left))

    def _note(self, replies: list[Reply | Failure]) -> None:
        if any(isinstance(r, Failure) and r.kind == "timeout" for r in replies):
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
