"""Which adapter reads which kind of engine, and where engines usually listen."""

from tokentop.domain.engines.readings import EngineKind
from tokentop.sources.engines.command_line import PORTS
from tokentop.sources.engines.protocol import Adapter, Hints

KINDS: tuple[EngineKind, ...] = (
    "vllm",
    "sglang",
    "llamacpp",
    "ollama",
    "tgi",
    "litellm",
    "openai",
)
# The kinds' own, then where images and sidecars put them: LM Studio, LMDeploy, Dynamo and more.
USUAL_PORTS: tuple[int, ...] = (*PORTS.values(), 1234, 5000, 8001, 8081, 8888, 23333)


def adapter(kind: EngineKind, hints: Hints = Hints()) -> Adapter:  # noqa: B008  (a frozen value)
    """A new adapter for one engine; only its own module is imported."""
    if kind == "vllm":
        from tokentop.sources.engines.vllm import Vllm

        return Vllm(hints)
    if kind == "sglang":
        from tokentop.sources.engines.sglang import Sglang

        return Sglang(hints)
    if kind == "llamacpp":
        from tokentop.sources.engines.llamacpp import LlamaCpp

        return LlamaCpp(hints)
    return _of_the_rest(kind, hints)


def _of_the_rest(kind: EngineKind, hints: Hints) -> Adapter:
    if kind == "ollama":
        from tokentop.sources.engines.ollama import Ollama

        return Ollama(hints)
    if kind == "tgi":
        from tokentop.sources.engines.tgi import Tgi

        return Tgi(hints)
    if kind == "litellm":
        from tokentop.sources.engines.litellm import LiteLlm

        return LiteLlm(hints)
    from tokentop.sources.engines.openai import OpenAi

    return OpenAi(hints)
