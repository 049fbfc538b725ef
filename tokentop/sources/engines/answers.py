"""What one answer of an engine holds: documents, versions, names of models, short texts."""

from collections.abc import Mapping, Sequence

from tokentop.domain.readings import Failure
from tokentop.named_tuple import NamedTuple
from tokentop.sources import json_fields as values
from tokentop.sources.engines.protocol import Answer

MAX_MODELS = 256
MAX_OWNERS = 64
MAX_TEXT = 64


def document_of(answer: Answer | Failure | None) -> Mapping[str, object]:
    """The JSON object that was answered; empty where it is none."""
    if not isinstance(answer, Answer):
        return {}
    try:
        return values.mapping(values.load(answer.body))
    except values.BadData:
        return {}


def version_of(answer: Answer | Failure | None) -> str | None:
    """The `version` of a JSON object; None where there is none."""
    return values.Fields(document_of(answer)).text("version")


def owners_of(answer: Answer | Failure | None) -> tuple[str, ...] | None:
    """The owners in a /v1/models answer; None where it is no OpenAI-like list."""
    listing = document_of(answer)
    models = listing.get("data")
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        return None
    if not models:
        return () if listing.get("object") == "list" else None
    if not all(isinstance(model.get("id"), str) for model in models):
        return None
    return tuple(str(model.get("owned_by", "")) for model in models[:MAX_OWNERS])


def text_of(answer: Answer | Failure | None) -> str:
    """A short text that was answered; empty where there is none."""
    if not isinstance(answer, Answer) or len(answer.body) > MAX_TEXT:
        return ""
    return answer.body.decode("utf-8", "replace").strip()


def has_version(answer: Answer | Failure | None) -> bool:
    """Whether it is an object with a version in words."""
    return isinstance(document_of(answer).get("version"), str)


class ModelNames(NamedTuple):
    """The names that a server lists: models, other names of these, LoRA adapters on top of them.

    `more` are further ones that are not kept.
    """

    models: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    more: int = 0


def _listed(answer: Answer | Failure | None) -> Sequence[object] | None:
    """The rows of a /v1/models answer; None where it is no such list."""
    if not isinstance(answer, Answer):
        return None
    try:
        return values.rows(values.load(answer.body), "data", "models")
    except values.BadData:
        return None


def names_of(answer: Answer | Failure | None) -> ModelNames | None:
    """The names of a /v1/models answer whose cards have `root` and `parent`, as vLLM's have."""
    if (found := _listed(answer)) is None:
        return None
    cards = [values.Fields(row) for row in found[:MAX_MODELS] if isinstance(row, dict)]
    names = _sorted_out([card for card in cards if card.text("id", "id", "name", "model")])
    return names._replace(more=max(0, len(found) - MAX_MODELS))


def _sorted_out(cards: list[values.Fields]) -> ModelNames:
    """Of the names of one root the first is the model's, the others are aliases."""
    models: dict[str, str] = {}  # by root
    aliases: dict[str, None] = {}
    adapters: dict[str, None] = {}
    for card in cards:
        name = card.text("id", "id", "name", "model") or ""
        if card.text("parent"):
            adapters[name] = None
        elif models.setdefault(card.text("root") or name, name) != name:
            aliases[name] = None
    return ModelNames(tuple(dict.fromkeys(models.values())), tuple(aliases), tuple(adapters))


def models_of(answer: Answer | Failure | None) -> tuple[str, ...] | None:
    """The ids of a /v1/models answer, adapters included; None where it is no such list."""
    if (found := _listed(answer)) is None:
        return None
    names = (
        values.Fields(row).text("id", "id", "name", "model") if isinstance(row, dict) else None
        for row in found[:MAX_MODELS]
    )
    return tuple(dict.fromkeys(name for name in names if name))
