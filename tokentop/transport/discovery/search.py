"""The search itself: all candidates identified at once, within one deadline.

/proc may hang and is read on a thread that is never joined; what comes too late is found the next
time.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.named_tuple import NamedTuple
from tokentop.transport.discovery.candidates import (
    Candidate,
    Choice,
    SearchScope,
    choose,
    is_taken,
)
from tokentop.transport.discovery.findings import Findings, Found
from tokentop.transport.discovery.probe import ProbeResult, base_request, origin, probe
from tokentop.transport.discovery.probe_cache import (
    TTL_ENGINE_S,
    TTL_NO_ANSWER_S,
    TTL_OTHER_S,
    Identity,
    ProbeCache,
)
from tokentop.transport.http.client import Client
from tokentop.transport.http.poll import Poll
from tokentop.transport.http.steps import Dial

__all__ = ["ONE_SHOT_S", "Findings", "find"]

ONE_SHOT_S = 0.3
_TTL_S = {"engine": TTL_ENGINE_S, "other": TTL_OTHER_S, "no-answer": TTL_NO_ANSWER_S}


def find(
    search: SearchScope,
    cache: ProbeCache,
    now: float,
    deadline_s: float = ONE_SHOT_S,
    *,
    dial: Dial | None = None,
) -> Findings:
    """Every engine on this host that answers in time; wall clock `now`; blocks for the deadline."""
    return _Search(search, cache, now, monotonic() + deadline_s, dial).run()


class _Probed(NamedTuple):
    """A candidate with what it turned out to be."""

    candidate: Candidate
    result: ProbeResult


class _Search:
    """One search."""

    def __init__(
        self, search: SearchScope, cache: ProbeCache, now: float, deadline: float, dial: Dial | None
    ) -> None:
        self._search = search
        self._cache = cache
        self._now = now
        self._deadline = deadline
        self._client = Client(dial=dial)
        self._choice: Choice | None = None
        self._known: list[_Probed] = []
        self._unknown: list[Candidate] = []
        self._probed: list[_Probed] = []

    def run(self) -> Findings:
        if self._cache.reader is not None and self._cache.reader.is_alive():
            return Findings(complete=False)  # /proc hangs: one thread that waits for it is enough
        self._client.hold()
        try:
            self._cache.reader = _start(self._look)
            self._client.run(self._deadline)
        except RuntimeError:  # the system has no thread left
            pass
        self._client.close()
        return self._found(self._choice)

    def _found(self, choice: Choice | None) -> Findings:
        if choice is None:
            return Findings(complete=False)
        for one in self._probed:
            self._remember(one)
        in_time = {one.candidate for one in self._probed}
        late = [_Probed(c, ProbeResult("late", c.host)) for c in self._unknown if c not in in_time]
        every = [_by_process(one) for one in (*self._known, *self._probed, *late)]
        complete = not late and all(one.result.outcome != "late" for one in self._probed)
        configured = [c for c in choice.rows if is_taken(c, self._search.taken)]
        findings = _findings(every, configured, complete=complete)
        return findings._replace(tried=len(choice.rows), candidates=choice.total)

    def _look(self) -> None:
        """Runs on a thread of its own."""
        try:
            choice = choose(self._search)
        except Exception:  # noqa: BLE001  # a strange process table costs the search, no traceback
            choice = Choice((), 0)
        self._client.post(partial(self._looked, choice))

    def _looked(self, choice: Choice) -> None:
        self._client.release()
        self._cache.reader = None  # it has delivered, though its thread may live a moment yet
        self._choice = choice
        free = [c for c in choice.rows if not is_taken(c, self._search.taken)]
        self._known, self._unknown = self._sorted_out(free)
        for candidate in self._unknown:
            base = base_request(candidate.host, candidate.port)
            done = partial(self._identified, candidate)
            self._client.submit(Poll(probe(candidate, self._deadline), base, done))

    def _identified(self, candidate: Candidate, poll: Poll) -> None:
        result = poll.result
        if isinstance(result, Failure):  # a hostile answer costs one row, not the search
            result = ProbeResult("other", candidate.host)
        self._probed.append(_Probed(candidate, result))

    def _sorted_out(self, all_: Sequence[Candidate]) -> tuple[list[_Probed], list[Candidate]]:
        """The engines known already, and the candidates to identify."""
        known: list[_Probed] = []
        unknown: list[Candidate] = []
        for candidate in all_:
            identity = self._cache.recall(candidate, self._now)
            if identity is None:
                unknown.append(candidate)
            elif identity.kind is not None:
                result = ProbeResult("engine", identity.host, identity.kind, identity.version)
                known.append(_Probed(candidate, result))
        return known, unknown

    def _remember(self, probed: _Probed) -> None:
        result = probed.result
        ttl_s = _TTL_S.get(result.outcome)
        sure = result.sure if result.kind else probed.candidate.command is None
        if ttl_s is not None and sure:  # an engine by its command line is identified every time
            until = self._now + ttl_s
            identity = Identity(result.kind, until, result.host, result.version)
            self._cache.remember(probed.candidate, identity)


def _findings(
    probed: Sequence[_Probed], configured: Sequence[Candidate], *, complete: bool
) -> Findings:
    found = {(p.result.host, p.candidate.port): _found(p) for p in probed if p.result.kind}
    starting = [
        _described(p.candidate, p.candidate.command.kind)
        for p in probed
        if p.result.outcome == "refused" and p.candidate.command and _not_up_yet(p.candidate)
    ]
    own = [_described(c, c.command.kind) for c in configured if c.command]
    return Findings(_in_order(list(found.values())), _in_order(starting), _in_order(own), complete)


def _by_process(probed: _Probed) -> _Probed:
    """A busy engine answers late; its command line and its socket identify it all the same."""
    candidate, result = probed
    command = candidate.command
    late = result.outcome in ("no-answer", "late") or not result.sure
    theirs = candidate.listening and not candidate.guessed and bool(candidate.pids)
    if command is None or not late or not theirs or candidate.port != command.port:
        return probed
    return _Probed(candidate, result._replace(kind=command.kind))


def _not_up_yet(candidate: Candidate) -> bool:
    """Whether a refusal means that the engine is not up yet, rather than up somewhere else."""
    return candidate.listening is False and bool(candidate.pids) and not candidate.guessed


def _found(probed: _Probed) -> Found:
    candidate, result = probed
    kind = result.kind or "openai"
    guessed = candidate.command
    if guessed is not None and not candidate.certain and guessed.kind != kind:
        candidate = Candidate(candidate.host, candidate.port)  # another server's port after all
    described = _described(candidate._replace(host=result.host), kind)
    return described._replace(version=result.version)


def _described(candidate: Candidate, kind: EngineKind) -> Found:
    command = candidate.command
    return Found(
        kind,
        origin(candidate.host, candidate.port),
        candidate.pids,
        command.slots if command else None,
        command.model if command else None,
        None,
        candidate.source,
        candidate.runners,
        command.one_pool if command else None,
        command.kv_gpu_bytes if command else None,
    )


def _in_order(found: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(sorted(found, key=lambda one: (int(one.url.rpartition(":")[2]), one.url)))


def _start(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name="discovery", daemon=True)
    thread.start()
    return thread
