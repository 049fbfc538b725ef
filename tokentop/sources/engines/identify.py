"""Which engine answers at an address, asking what is harmless first; no I/O (conversation.py).

Told by answers, never by the port. Never asked: `/health` (SGLang generates a token, LiteLLM
calls every model), `/slots` (wakes a sleeping llama.cpp) and, until it is certain that the server
is neither llama.cpp nor TensorRT-LLM, `/metrics` (resets or drains what others read).
"""

from collections.abc import Generator, Mapping

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.protocol import Answer, Answers, Paths, is_html, status_of

IdentifyProtocol = Generator[Paths, Answers, EngineKind | None]

FIRST: Paths = ("/version", "/props", "/v1/models", "/api/version")
SECOND: Paths = ("/v1/loads", "/info", "/health/liveliness", "/")
OPEN_WITH_KEY: Paths = ("/", "/v1/health")  # what llama.cpp tells without its key
KEEPS_METRICS = ("tensorrt_llm", "nvidia", "lmdeploy", "library", "llamacpp")
REFUSED = (401, 403)


def identify(guess: EngineKind | None = None) -> IdentifyProtocol:
    """The conversation with a server; `guess` is what its command line suggests.

    The guess decides only where the server is there but tells nothing: all refused, or loading.
    """
    first = yield FIRST
    sure = _from_first(first)
    if sure is not None:
        return sure
    statuses = {status_of(first[path]) for path in FIRST}
    if statuses == {503}:
        return guess
    if statuses <= {401, 403} and guess not in ("sglang", "litellm"):
        guarded = yield OPEN_WITH_KEY
        if _says_llamacpp(guarded):
            return "llamacpp"
    if not _promising(first):
        return None
    second = yield SECOND
    return _from_second(first, second) or (yield from _by_metrics(first, guess))


def _from_first(answers: Answers) -> EngineKind | None:
    props = _object(answers["/props"])
    if _says_llamacpp(answers) or "total_slots" in props or props.get("role") == "router":
        return "llamacpp"
    return None


def _says_llamacpp(answers: Answers) -> bool:
    found = [a for a in answers.values() if isinstance(a, Answer)]
    return any(answer.server.lower().startswith("llama.cpp") for answer in found)


def _promising(answers: Answers) -> bool:
    """Whether anything speaks for an engine: a version, a list of models, or a locked one."""
    locked = status_of(answers["/v1/models"]) in REFUSED
    versions = _version(answers["/version"]) or _version(answers["/api/version"])
    if locked or versions or _owners(answers["/v1/models"]) is not None:
        return True
    pages = [a for a in answers.values() if isinstance(a, Answer)]
    return not pages and any(status_of(answer) == 404 for answer in answers.values())


def _from_second(first: Answers, second: Answers) -> EngineKind | None:
    owners = _owners(first["/v1/models"]) or ()
    if isinstance(_object(second["/v1/loads"]).get("loads"), list):
        return "sglang"
    if _version(first["/api/version"]) and _text(second["/"]) == "Ollama is running":
        return "ollama"
    if _text(second["/health/liveliness"]).strip('"') == "I'm alive!":
        return "litellm"
    info = _object(second["/info"])
    if info.get("model_id") and "version" in info and "model_type" not in info:
        return "tgi"  # model_type: its sibling for embeddings
    return "sglang" if "sglang" in owners else None


def _by_metrics(first: Answers, guess: EngineKind | None) -> IdentifyProtocol:
    owners = _owners(first["/v1/models"])
    locked = status_of(first["/v1/models"]) in REFUSED
    plain: EngineKind | None = "openai" if owners is not None else None
    if any(owner in KEEPS_METRICS for owner in owners or ()):
        return plain
    if not locked and not _version(first["/version"]) and plain is None:
        return None
    page = (yield ("/metrics",))["/metrics"]
    found = _prefix(page)
    if found is None and _version(first["/version"]) and "vllm" in (owners or ()):
        return "vllm"  # its statistics are disabled
    return found or plain or (guess if locked else None)


def _prefix(page: Answer | Failure) -> EngineKind | None:
    if not isinstance(page, Answer) or is_html(page):
        return None
    prefixes: tuple[tuple[bytes, EngineKind], ...] = (
        (b"\nvllm:", "vllm"),
        (b"\nsglang:", "sglang"),
        (b"\ntgi_", "tgi"),
        (b"\nlitellm_", "litellm"),
    )
    body = b"\n" + page.body
    found = [kind for mark, kind in prefixes if mark in body]
    return found[0] if len(found) == 1 else None  # two of them: somebody's federation


def _object(answer: Answer | Failure) -> Mapping[str, object]:
    if not isinstance(answer, Answer):
        return {}
    try:
        return values.mapping(values.load(answer.body))
    except values.BadData:
        return {}


def _version(answer: Answer | Failure) -> bool:
    return isinstance(_object(answer).get("version"), str)


def _owners(answer: Answer | Failure) -> tuple[str, ...] | None:
    """Who owns the models of an OpenAI-like list; None where there is no such list."""
    listing = _object(answer)
    models = listing.get("data")
    if not isinstance(models, list) or not all(isinstance(m, dict) for m in models):
        return None
    if not models:
        return () if listing.get("object") == "list" else None
    if not all(isinstance(m.get("id"), str) for m in models):
        return None
    return tuple(str(m.get("owned_by", "")) for m in models[:64])


def _text(answer: Answer | Failure) -> str:
    if not isinstance(answer, Answer) or len(answer.body) > 64:
        return ""
    return answer.body.decode("utf-8", "replace").strip()
