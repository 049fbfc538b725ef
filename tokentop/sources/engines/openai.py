"""A plain OpenAI-compatible server: the names of its models only, the rest is unknown."""

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources.engines.answers import models_of
from tokentop.sources.engines.protocol import Hints, PollProtocol, refused
from tokentop.sources.engines.spec import EngineSpec, Signature


class OpenAi:
    """A server of which only /v1/models is read."""

    kind: EngineKind = "openai"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints

    def poll(self, now: float) -> PollProtocol:  # noqa: ARG002  (nothing is remembered)
        answers = yield ("/v1/models",)
        answer = answers["/v1/models"]
        if isinstance(answer, Failure):
            return refused(answer, "openai")
        names = models_of(answer)
        if names is None:
            return Failure("bad-data", "/v1/models does not answer a list of models.")
        slots = self._hints.configured_slots
        return EngineReading(
            "openai",
            model=names[0] if names else None,
            models=names,
            max_slots=slots,
            slots_source="configured" if slots else None,
            health="names-only",
            advice="This server reports the names of its models only.",
        )


SPEC = EngineSpec(
    "openai",
    OpenAi,
    signature=Signature(
        # TensorRT-LLM drains its statistics when they are read.
        metrics_spared=("tensorrt_llm", "nvidia", "lmdeploy"),
    ),
)
