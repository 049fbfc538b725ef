"""Which engine answers at an address, by the Signature of each engine's SPEC; no I/O (protocol.py).

By answers, never by the port. Never requested: `/health` (SGLang generates a token, LiteLLM calls
every model), `/slots` (wakes a sleeping llama.cpp) and, until it is certain that the server is
neither llama.cpp nor TensorRT-LLM, `/metrics` (resets or drains what others read).
"""

from collections.abc import Generator

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.sources.engines.answers import has_version, owners_of
from tokentop.sources.engines.protocol import Answer, Answers, Paths, is_html, status_of
from tokentop.sources.engines.registry import spec, specs

IdentifyProtocol = Generator[Paths, Answers, EngineKind | None]

VERSION, MODELS, METRICS = "/version", "/v1/models", "/metrics"
NO_SUCH_PATH = (400, 404)
REFUSED = (401, 403)


def identify(guess: EngineKind | None = None) -> IdentifyProtocol:
    """The protocol with a server; `guess` is the kind that its command line names.

    The guess decides only where the server is there but answers nothing: all refused, or loading.
    """
    answers = dict((yield _first()))
    statuses = {status_of(answer) for answer in answers.values()}
    promising = _promising(answers)
    if statuses == {503}:
        return guess
    if statuses <= set(REFUSED) and (guess is None or spec(guess).signature.locked):
        answers |= yield _locked()
    if (found := _recognised(answers)) is not None or not promising:
        return found
    answers |= yield _then(answers)
    return _recognised(answers) or (yield from _by_metrics(answers, guess))


def _first() -> Paths:
    paths = (path for one in specs() for path in one.signature.first)
    return tuple(dict.fromkeys((VERSION, MODELS, *paths)))


def _locked() -> Paths:
    return tuple(path for one in specs() for path in one.signature.locked)


def _then(first: Answers) -> Paths:
    signatures = (one.signature for one in specs())
    return tuple(
        path
        for one in signatures
        if not one.only_after or isinstance(first.get(one.only_after), Answer)
        for path in one.then
    )


def _recognised(answers: Answers) -> EngineKind | None:
    """The first engine whose signature these answers have."""
    for one in specs():
        if one.signature.recognise is not None and one.signature.recognise(answers):
            return one.kind
    return None


def _promising(answers: Answers) -> bool:
    """Whether an engine is likely: a version, a list of models, or one that requires a key.

    Or no path requested so far exists, as with engines that have paths of their own only.
    """
    if status_of(answers[MODELS]) in REFUSED or owners_of(answers[MODELS]) is not None:
        return True
    pages = [answer for answer in answers.values() if isinstance(answer, Answer)]
    missing = (status_of(answer) in NO_SUCH_PATH for answer in answers.values())
    return any(map(has_version, pages)) if pages else any(missing)


def _by_metrics(answers: Answers, guess: EngineKind | None) -> IdentifyProtocol:
    owners = owners_of(answers[MODELS])
    locked = status_of(answers[MODELS]) in REFUSED
    plain: EngineKind | None = "openai" if owners is not None else None
    spared = {owner for one in specs() for owner in one.signature.metrics_spared}
    if not spared.isdisjoint(owners or ()):
        return plain
    if not locked and not has_version(answers[VERSION]) and plain is None:
        return None
    page = (yield (METRICS,))[METRICS]
    found = _by_series(page) or _recognised({**answers, METRICS: page})
    return found or plain or (guess if locked else None)


def _by_series(page: Answer | Failure) -> EngineKind | None:
    if not isinstance(page, Answer) or is_html(page):
        return None
    body = b"\n" + page.body
    names = ((one.kind, one.signature.series) for one in specs() if one.signature.series)
    found = [kind for kind, series in names if b"\n" + series.encode() in body]
    return found[0] if len(found) == 1 else None  # two of them: a federation of several servers
