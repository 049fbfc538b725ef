"""A plain OpenAI-compatible server: names only, the rest is unknown. Others borrow its readers."""

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.protocol import Answer, Hints, PollProtocol, refused

MAX_MODELS = 256


class OpenAi:
    """A server of which only /v1/models is known."""

    kind: EngineKind = "openai"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints

    def poll(self, now: float) -> PollProtocol:  # noqa: ARG002  (nothing is remembered)
        answers = yield ("/v1/models",)
        answer = answers["/v1/models"]
        if isinstance(answer, Failure):
            return refused(answer, "openai")
        names = model_names(answer)
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
            advice="This server tells its models' names only.",
        )


def model_names(answer: Answer | Failure | None) -> tuple[str, ...] | None:
    """The ids of a /v1/models answer, adapters included; None where it is no such list."""
    if not isinstance(answer, Answer):
        return None
    try:
        found = values.rows(values.load(answer.body), "data", "models")
    except values.BadData:
        return None
    names = (
        values.Fields(row).text("id", "id", "name", "model") if isinstance(row, dict) else None
        for row in found[:MAX_MODELS]
    )
    return tuple(dict.fromkeys(name for name in names if name))


def version(answer: Answer | Failure | None) -> str | None:
    """The `version` of a JSON object; None where it is no such object."""
    if not isinstance(answer, Answer):
        return None
    try:
        return values.Fields(values.mapping(values.load(answer.body))).text("version")
    except values.BadData:
        return None
