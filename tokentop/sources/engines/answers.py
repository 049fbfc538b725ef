"""What one answer of an engine holds: documents, versions, names of models, short texts."""

from collections.abc import Mapping

from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.protocol import Answer

MAX_MODELS = 256


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


def models_of(answer: Answer | Failure | None) -> tuple[str, ...] | None:
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
